import type { Request, RequestHandler, Response } from 'express';
import { type ErrorCode, isLineageError } from '../../../nodes/kit/errors.ts';
import { drain } from './drain.ts';

/** How routers match paths: letter for letter, as aiohttp does. */
export const ROUTING = { caseSensitive: true, strict: true } as const;

/** What each expected failure is in HTTP; all others are faults of ours, and 500. */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  'path/outside': 403,
  'path/unsafe': 400,
  'file/missing': 404,
  'output/exists': 409,
  'request/malformed': 400,
  'request/too-large': 413,
  'graph/malformed': 400,
  'graph/too-deep': 400,
  'image/undecodable': 415,
  'image/unknown-format': 415,
  'image/shape': 400,
  'image/too-large': 413,
};

/**
 * A handler whose expected failures become an answer: a status and, since ComfyUI's are mostly empty, no text. Give
 * statuses where a route has others. What is no expected failure goes on to the server's own handler.
 */
export function answering(
  handle: (request: Request, response: Response) => Promise<unknown>,
  statuses: Readonly<Partial<Record<ErrorCode, number>>> = {},
): RequestHandler {
  return async (request, response, next) => {
    try {
      await handle(request, response);
    } catch (error) {
      const status = isLineageError(error) ? (statuses[error.code] ?? STATUS[error.code]) : undefined;
      if (status === undefined || response.headersSent) return next(error);
      if (status === 413) await drain(request);
      sendNothing(response, status);
    }
  };
}

/** An answer without a body, as ComfyUI gives most of its errors. */
export function sendNothing(response: Response, status: number): void {
  response.status(status).end();
}

/** An answer of plain text. */
export function sendText(response: Response, status: number, text: string): void {
  response.status(status).type('text/plain').send(text);
}

/** A parameter of the query, the first where there are several; undefined where there is none. */
export function queryText(request: Request, name: string): string | undefined {
  const value: unknown = request.query[name];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
}

/** A parameter of the path, decoded once; '' where there is none. */
export function pathText(request: Request, name: string): string {
  const value: unknown = request.params[name];
  if (Array.isArray(value)) return value.join('/');
  return typeof value === 'string' ? value : '';
}
