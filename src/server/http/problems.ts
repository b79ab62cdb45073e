/**
 * Every error leaves as a problem document (RFC 9457) with our stable code and, where one is to blame, the
 * field. A person reads `detail`; nothing of the inside (stacks, paths, SQL) is ever in it.
 */
import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply } from 'fastify';
import { type ErrorCode, Problem, REPLY_CODES, RefusedError, UnreachableError } from '../../protocol/errors.ts';

/** How long a client should leave a keyserver alone that cannot write its ledger or is closing. */
const RETRY_AFTER_SECONDS = 5;

interface Trouble {
  status: number;
  code: ErrorCode;
  detail: string;
  field?: string | undefined;
}

/** How the OpenAPI description of a route tells of a problem. */
export const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: Problem } },
});

export function sendProblem(reply: FastifyReply, { status, code, detail, field }: Trouble): FastifyReply {
  const problem: Problem = {
    // "No more than the status says": what is more precise is in `code`.
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    reply: REPLY_CODES[code],
    detail,
    ...(field === undefined ? {} : { field }),
  };
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify(problem));
}

/** What to tell about an error of ours, of fastify's, or of nobody's expectation. */
export function sendError(reply: FastifyReply, error: unknown): FastifyReply {
  if (error instanceof RefusedError) {
    const { status, code, message: detail, field } = error;
    return sendProblem(reply, { status, code, detail, field });
  }
  if (error instanceof UnreachableError) {
    reply.header('retry-after', String(Math.ceil(error.retryAfterSeconds ?? RETRY_AFTER_SECONDS)));
    return sendProblem(reply, { status: 503, code: 'unavailable', detail: error.message });
  }
  const { code, statusCode = 500 } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const detail = `the body is larger than ${reply.server.initialConfig.bodyLimit} bytes: send it in parts`;
    return sendProblem(reply, { status: 413, code: 'body_too_large', detail });
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return sendProblem(reply, {
      status: 415,
      code: 'media_type_unsupported',
      detail: 'the body must be application/json',
    });
  }
  // What @fastify/static says of a path that leaves its folder.
  if (statusCode === 403)
    return sendProblem(reply, { status: 404, code: 'not_found', detail: 'there is nothing there' });
  if (statusCode >= 400 && statusCode < 500) {
    const detail = code === 'FST_ERR_BAD_URL' ? 'the address is malformed' : 'the body is not valid JSON';
    return sendProblem(reply, { status: statusCode, code: 'body_malformed', detail });
  }
  reply.log.error({ err: error }, 'a request failed');
  return sendProblem(reply, { status: 500, code: 'internal', detail: 'the keyserver failed; its log says more' });
}
