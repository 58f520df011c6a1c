import { type ErrorCode, isLineageError, LineageError, type Where } from '../../nodes/kit/errors.ts';

/** What a thread says of an error that it threw: errors lose their class on the way between threads. */
export type ThreadFailure = {
  readonly kind: 'failed';
  readonly message: string;
  readonly stack: string;
  /** Of an expected failure. */
  readonly code?: ErrorCode;
  readonly where?: Where;
};

/** For the thread: what was thrown, as it is sent. */
export function failureOf(error: unknown): ThreadFailure {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return {
    kind: 'failed',
    message,
    stack: stack ?? message,
    ...(isLineageError(error) && { code: error.code, where: error.where }),
  };
}

/** For the owner of the thread: the error as it was thrown there, with the stack from there. */
export function errorOf({ code, message, where, stack }: ThreadFailure): Error {
  const error = code === undefined ? new Error(message) : new LineageError(code, message, where);
  error.stack = stack;
  return error;
}
