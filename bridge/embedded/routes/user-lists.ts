import { stat } from 'node:fs/promises';
import { type Request, type Response, Router } from 'express';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import { type Listed, listFiles } from '../../local/list-files.ts';
import { splitPlainPath } from '../../local/plain-path.ts';
import { isFolderThere, resolveInside } from '../../local/resolve-inside.ts';
import { answering, queryText, ROUTING, sendText } from '../http/answer.ts';
import type { Log } from '../log.ts';
import { timesOf } from '../users/user-files.ts';
import type { Users } from '../users/users.ts';

/** What is said to a path, by what was wrong with it; the two routes differ. */
type Refusals = {
  readonly outside: readonly [number, string];
  readonly missing: readonly [number, string];
  /** For a file; where it is absent, a file holds nothing. */
  readonly noFolder?: readonly [number, string];
};

/**
 * `GET /userdata?dir=` lists the files of a user's folder, `GET /v2/userdata?path=` files and folders at any depth, with
 * paths from the user's root, folders first.
 * @see ComfyUI 618b803d app/user_manager.py listuserdata, list_userdata_v2
 */
export function userListRoutes(users: Users, log: Log): Router {
  const router = Router(ROUTING);
  router.get(
    '/userdata',
    answering(async (request, response) => {
      const dir = queryText(request, 'dir') ?? '';
      if (dir === '') return sendText(response, 400, 'Directory not provided');
      const root = await users.folderOf(request);
      if (root === undefined) return sendText(response, 403, 'Invalid directory');
      const recurse = isTrue(request, 'recurse');
      const refusals = {
        outside: [403, 'Invalid directory'],
        missing: [404, 'Directory not found'],
      } as const;
      const entries = await list(response, root, dir, { recurse, hidden: false, refusals, log });
      if (!entries) return;
      const files = entries.filter(({ kind }) => kind === 'file');
      const describe = isTrue(request, 'full_info')
        ? withInfo
        : isTrue(request, 'split')
          ? withParts
          : pathOf;
      response.json(files.map(describe));
    }),
  );
  router.get(
    '/v2/userdata',
    answering(async (request, response) => {
      const root = await users.folderOf(request);
      if (root === undefined) return sendText(response, 403, 'Invalid user specified in request');
      const path = queryText(request, 'path') ?? '';
      const refusals = {
        outside: [400, 'Invalid path requested'],
        missing: [404, 'Requested path not found'],
        noFolder: [400, 'Requested path is not a directory'],
      } as const;
      // Of a new user nothing is there yet, not even the folder.
      const isTop = path === '' && !(await isFolderThere(root));
      const entries = isTop
        ? []
        : await list(response, root, path, { recurse: true, hidden: true, refusals, log });
      if (!entries) return;
      const above = path === '' ? [] : splitPlainPath(path);
      response.json([...entries].sort(foldersFirst).map((entry) => asEntry(entry, above)));
    }),
  );
  return router;
}

/** Lists a folder, or answers why not and gives undefined. */
async function list(
  response: Response,
  root: string,
  path: string,
  options: { recurse: boolean; hidden: boolean; refusals: Refusals; log: Log },
): Promise<readonly Listed[] | undefined> {
  const { recurse, hidden, refusals, log } = options;
  try {
    const folder = await resolveInside(root, path);
    if (refusals.noFolder && !(await stat(folder)).isDirectory()) {
      sendText(response, ...refusals.noFolder);
      return undefined;
    }
    const { entries, cut } = await listFiles(await resolveInside(root, ''), folder, { recurse, hidden });
    if (cut) log('warn', `userdata: ${JSON.stringify(path)} holds more than can be listed`);
    return entries;
  } catch (error) {
    if (!isLineageError(error)) throw error;
    if (error.code === 'file/missing') sendText(response, ...refusals.missing);
    else if (error.code === 'path/outside') sendText(response, ...refusals.outside);
    else if (error.code === 'path/unsafe') sendText(response, 400, refusals.outside[1]);
    else throw error;
    return undefined;
  }
}

function isTrue(request: Request, name: string): boolean {
  return queryText(request, name)?.toLowerCase() === 'true';
}

function pathOf({ path }: Listed): string {
  return path;
}

function withParts({ path }: Listed): readonly string[] {
  return [path, ...path.split('/')];
}

function withInfo({ path, state }: Listed): unknown {
  return { path, size: state.size, ...timesOf(state) };
}

function asEntry({ name, path, kind, state }: Listed, above: readonly string[]): unknown {
  const common = { name, path: [...above, path].join('/') };
  if (kind === 'folder') return { ...common, type: 'directory' };
  return { ...common, type: 'file', size: state.size, modified: timesOf(state).modified };
}

function foldersFirst(a: Listed, b: Listed): number {
  if (a.kind !== b.kind) return a.kind === 'folder' ? -1 : 1;
  const [left, right] = [a.name.toLowerCase(), b.name.toLowerCase()];
  return left < right ? -1 : left > right ? 1 : 0;
}
