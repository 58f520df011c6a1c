import { type Request, Router } from 'express';
import { LineageError } from '../../../nodes/kit/errors.ts';
import { ROUTING } from '../http/answer.ts';
import type { RunHistory } from '../queue/run-history.ts';
import { pythonInt } from '../validation/python-int.ts';
import {
  answerEmpty,
  answerJson,
  isTruthy,
  readBodyRecord,
  refuseMethod,
  streamJson,
} from './json-answer.ts';
import { readIds } from './read-ids.ts';

/** Entries read at once. */
const PAGE = 32;

/** `GET` and `POST /history`, `GET /history/{prompt_id}`. */
export function historyRoutes(history: RunHistory): Router {
  const router = Router(ROUTING);
  router
    .route('/history')
    .get(async (request, response) => {
      const window = windowOf(readWhole(request, 'max_items'), readWhole(request, 'offset'), history.count());
      await streamJson(response, piecesOf(history, window));
    })
    .post(async (request, response) => {
      const body = await readBodyRecord(request);
      if (isTruthy(body['clear'])) history.clear();
      for (const id of readIds(body['delete'])) history.remove(id);
      answerEmpty(response);
    })
    .all(refuseMethod('GET', 'HEAD', 'POST'));
  router
    .route('/history/:id')
    .get((request, response) => {
      const { id } = request.params;
      const found = history.find(id);
      answerJson(response, found ? `{${JSON.stringify(id)}:${found.entry}}` : '{}');
    })
    .all(refuseMethod('GET', 'HEAD'));
  return router;
}

/** Which entries are asked for, counted from the oldest. */
type Window = { readonly skip: number; readonly limit: number };

/** Without an offset the newest are meant; and one entry at least, also where none is asked for. ComfyUI 618b803d execution.py get_history. */
function windowOf(maxItems: number | undefined, offset = -1, count: number): Window {
  const first = offset < 0 && maxItems !== undefined ? count - maxItems : offset;
  const limit = maxItems === undefined ? Number.MAX_SAFE_INTEGER : Math.max(1, maxItems);
  return { skip: Math.max(0, first), limit };
}

function* piecesOf(history: RunHistory, { skip, limit }: Window): Generator<string> {
  yield '{';
  let [after, given] = [-1, 0];
  while (given < limit) {
    const page = history.page(after, Math.min(PAGE, limit - given), after < 0 ? skip : 0);
    const last = page.at(-1);
    if (!last) break;
    const entries = page.map(({ promptId, entry }) => `${JSON.stringify(promptId)}:${entry}`);
    yield (given > 0 ? ',' : '') + entries.join();
    after = last.sequence;
    given += page.length;
  }
  yield '}';
}

/** @throws LineageError `request/malformed` for what Python's `int` does not take */
function readWhole(request: Request, name: string): number | undefined {
  const text = request.query[name];
  if (text === undefined) return undefined;
  const value = pythonInt(String(Array.isArray(text) ? text[0] : text));
  if (value === undefined) throw new LineageError('request/malformed', `expected a whole number as ${name}`);
  return value;
}
