import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { RequestHandler, Response } from 'express';
import { LineageError } from '../../../nodes/kit/errors.ts';
import { ExactNumber } from '../../../nodes/kit/exact-json.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { codeOf } from '../../local/system-error.ts';
import { nextTurn } from '../execution/event-loop.ts';
import { readJsonBody } from '../http/json-body.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Answers with a JSON text. */
export function answerJson(response: Response, text: string, status = 200): void {
  response.status(status).setHeader('Content-Type', JSON_TYPE);
  response.end(text);
}

/** Many of ComfyUI's answers have no body at all. */
export function answerEmpty(response: Response, status = 200): void {
  response.status(status).end();
}

/** Sends a long JSON document piece by piece: no piece waits in memory for a slow client, and others get their turn. */
export async function streamJson(response: Response, pieces: Iterable<string>): Promise<void> {
  response.status(200).setHeader('Content-Type', JSON_TYPE);
  try {
    await pipeline(oneEachTurn(pieces), response);
  } catch (error) {
    // The client went away.
    if (codeOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

async function* oneEachTurn(pieces: Iterable<string>): AsyncGenerator<string> {
  for (const piece of pieces) {
    yield piece;
    await nextTurn();
  }
}

/** Answers a method that the path does not have, as aiohttp does. */
export function refuseMethod(...allowed: readonly string[]): RequestHandler {
  return (_request, response) => {
    response.status(405).setHeader('Allow', allowed.join(','));
    response.type('text/plain').send('405: Method Not Allowed');
  };
}

/**
 * A body that must be a JSON object. A list has no keys either, and ComfyUI finds nothing in it.
 * @throws LineageError as `readJsonBody`, and `request/malformed` for any other value
 */
export async function readBodyRecord(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const body = await readJsonBody(request);
  if (isRecord(body)) return body;
  if (Array.isArray(body)) return {};
  throw new LineageError('request/malformed', 'expected a JSON object, got another value');
}

/** Whether Python takes a JSON value for true. */
export function isTruthy(value: unknown): boolean {
  if (value instanceof ExactNumber) return value.value !== 0;
  if (Array.isArray(value)) return value.length > 0;
  return isRecord(value) ? Object.keys(value).length > 0 : Boolean(value);
}
