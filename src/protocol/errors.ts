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
  Type.Literal('client_distrusted'),
  Type.Literal('proof_false'),
  Type.Literal('proxy_refused'),
  Type.Literal('unauthorized'),
  Type.Literal('conflict'),
  Type.Literal('protocol_unknown'),
  Type.Literal('rate_limited'),
  Type.Literal('unavailable'),
  Type.Literal('report_mismatch'),
  Type.Literal('evidence_false'),
  Type.Literal('evidence_missing'),
  Type.Literal('internal'),
]);
export type ErrorCode = Static<typeof ErrorCode>;

/**
 * The reply codes of DiCoP's classes: 100–199 information, 200–299 done, 300–399 try later, 400–449 drop this piece, 450–499
 * drop the whole request, 500 and up: try all of it again, after some minutes. Stable, as the names are.
 */
export const REPLY_CODES: Readonly<Record<ErrorCode, number>> = {
  rate_limited: 302,
  unavailable: 304,
  lease_unknown: 404,
  lease_foreign: 403,
  client_distrusted: 413,
  lease_expired: 405,
  proof_false: 406,
  report_mismatch: 410,
  evidence_false: 411,
  evidence_missing: 412,
  body_malformed: 450,
  body_too_large: 451,
  protocol_unknown: 452,
  media_type_unsupported: 453,
  method_not_allowed: 454,
  not_found: 455,
  contest_unknown: 456,
  unauthorized: 457,
  conflict: 458,
  proxy_refused: 463,
  internal: 500,
};

/** RFC 9457 problem details, with `code`, `reply` and `field` as extension members. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: ErrorCode,
  /** As in REPLY_CODES. */
  reply: Type.Optional(Type.Integer()),
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
  /** Of an answer that says try later; undefined where there was none. */
  readonly status: number | undefined;
  constructor(
    detail: string,
    options: { cause?: unknown; retryAfterSeconds?: number | undefined; status?: number } = {},
  ) {
    super(detail, { cause: options.cause });
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.status = options.status;
  }
}
