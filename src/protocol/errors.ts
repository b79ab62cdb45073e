/**
 * Everything that can be refused, by a stable code. Over HTTP an error is a problem document (RFC 9457) with
 * the code beside it, and the name of the offending field where there is one.
 */
import { type Static, Type } from 'typebox';

export const ErrorCode = Type.Union([
  Type.Literal('body_malformed'),
  Type.Literal('body_too_large'),
  Type.Literal('media_type_unsupported'),
  Type.Literal('method_not_allowed'),
  Type.Literal('not_found'),
  Type.Literal('contest_unknown'),
  Type.Literal('lease_unknown'),
  Type.Literal('lease_expired'),
  Type.Literal('lease_foreign'),
  Type.Literal('lease_released'),
  Type.Literal('report_mismatch'),
  Type.Literal('evidence_false'),
  Type.Literal('evidence_missing'),
  Type.Literal('internal'),
]);
export type ErrorCode = Static<typeof ErrorCode>;

/** RFC 9457 problem details, with `code` and `field` as extension members. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: ErrorCode,
  detail: Type.String(),
  /** Where in the request, as a JSON pointer. */
  field: Type.Optional(Type.String()),
});
export type Problem = Static<typeof Problem>;

/** A keyserver's answer that the request itself was refused: repeating it unchanged is useless. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly field: string | undefined;
  constructor(
    code: ErrorCode,
    detail: string,
    options: { status?: number; field?: string | undefined; cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 400;
    this.field = options.field;
  }
}

/** No answer, or one that says try later: the same request may succeed in a while. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  /** What the other side asked for (Retry-After), if it said. */
  readonly retryAfterSeconds: number | undefined;
  constructor(detail: string, options: { cause?: unknown; retryAfterSeconds?: number | undefined } = {}) {
    super(detail, { cause: options.cause });
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
