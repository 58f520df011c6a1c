import { rename, stat, unlink } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { type Request, type Response, Router } from 'express';
import { isLineageError, LineageError } from '../../../nodes/kit/errors.ts';
import { resolveEntry, resolveForWriting, resolveInside } from '../../local/resolve-inside.ts';
import { codeOf } from '../../local/system-error.ts';
import { publishExclusive, refuseTaken, syncFolder, writeFileAtomic } from '../../local/write-file.ts';
import { sendUserFile } from '../files/send-file.ts';
import { answering, pathText, queryText, ROUTING, sendNothing, sendText } from '../http/answer.ts';
import { limitBytes } from '../http/json-body.ts';
import { describeUserFile } from '../users/user-files.ts';
import type { Users } from '../users/users.ts';

/** Text that no browser runs, by ending; a stylesheet is asked for by the page itself. */
const HARMLESS_TEXT: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.css': 'text/css',
  '.txt': 'text/plain',
  '.md': 'text/plain',
};

/** File systems say these of a name that cannot be one, or of a folder where a file should be. */
const BAD_NAME = new Set(['ENAMETOOLONG', 'ENOTDIR', 'EISDIR', 'EINVAL', 'ENOTEMPTY', 'EEXIST']);

type UserHandler = (root: string, request: Request, response: Response) => Promise<unknown>;

/**
 * `GET`, `POST` and `DELETE /userdata/{file}`, `POST /userdata/{file}/move/{dest}`: a user's own files, whose paths
 * are one segment of the URL (`workflows%2Fa.json`). Lists of them are in user-lists.ts.
 *
 * A path that leads elsewhere is 403, one that no file can have 400; files go in whole or not at all.
 * @param maxBytes the longest file that is taken.
 * @see ComfyUI 618b803d app/user_manager.py
 */
export function userdataRoutes(users: Users, maxBytes: number): Router {
  const router = Router(ROUTING);
  const forUser = (handle: UserHandler) =>
    answering(async (request, response) => {
      const root = await users.folderOf(request);
      if (root === undefined) return sendNothing(response, 403);
      try {
        await handle(root, request, response);
      } catch (error) {
        if (!isBadName(error)) throw error;
        throw new LineageError('path/unsafe', 'expected the name of a file', {}, { cause: error });
      }
    });

  router.get(
    '/userdata/:file',
    forUser(async (root, request, response) => {
      const real = await resolveInside(root, pathText(request, 'file'));
      const type = HARMLESS_TEXT[extname(real).toLowerCase()];
      await sendUserFile(response, real, undefined, type);
    }),
  );
  router.post(
    '/userdata/:file',
    forUser(async (root, request, response) => {
      const { folder, name } = await resolveForWriting(root, pathText(request, 'file'));
      const path = join(folder, name);
      await writeUnlessTaken(request, response, path, async (replace) => {
        await writeFileAtomic(path, limitBytes(request, maxBytes), { replace });
        response.json(await describe(root, path, request));
      });
    }),
  );
  router.delete(
    '/userdata/:file',
    forUser(async (root, request, response) => {
      const entry = await resolveEntry(root, pathText(request, 'file'));
      await refuseFolder(entry);
      await unlink(entry);
      sendNothing(response, 204);
    }),
  );
  router.post(
    '/userdata/:file/move/:dest',
    forUser(async (root, request, response) => {
      const source = await resolveEntry(root, pathText(request, 'file'));
      const { folder, name } = await resolveForWriting(root, pathText(request, 'dest'));
      const path = join(folder, name);
      await writeUnlessTaken(request, response, path, async (replace) => {
        await move(source, path, replace);
        await syncFolder(folder);
        response.json(await describe(root, path, request));
      });
    }),
  );
  return router;
}

/** Answers 409 where the query says not to overwrite and the name is taken, also where that turns out at the end. */
async function writeUnlessTaken(
  request: Request,
  response: Response,
  path: string,
  write: (replace: boolean) => Promise<void>,
): Promise<void> {
  const replace = queryText(request, 'overwrite') !== 'false';
  try {
    if (!replace) await refuseTaken(path);
    await write(replace);
  } catch (error) {
    if (!isLineageError(error, 'output/exists')) throw error;
    sendText(response, 409, 'File already exists');
  }
}

async function move(source: string, target: string, replace: boolean): Promise<void> {
  const isFile = (await stat(source)).isFile();
  if (replace || !isFile) {
    // A folder takes no other's place: `rename` fails unless that is empty.
    await rename(source, target);
    return;
  }
  if (!(await publishExclusive(source, target)))
    throw new LineageError('output/exists', 'expected a free name, got one that is taken', { file: target });
  await unlink(source);
}

async function refuseFolder(path: string): Promise<void> {
  if ((await stat(path)).isDirectory())
    throw new LineageError('path/unsafe', 'expected a file, got a folder');
}

async function describe(root: string, path: string, request: Request): Promise<unknown> {
  const file = await describeUserFile(root, path);
  return queryText(request, 'full_info')?.toLowerCase() === 'true' ? file : file.path;
}

/** Whether what failed, or what a failed write was caused by, is the name. */
function isBadName(error: unknown): boolean {
  const cause = isLineageError(error, 'file/unwritable') ? error.cause : error;
  return BAD_NAME.has(codeOf(cause));
}
