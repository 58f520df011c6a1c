import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import express, { Router } from 'express';
import { UNREACHABLE } from '../../local/folder-index.ts';
import { listFiles } from '../../local/list-files.ts';
import { codeOf } from '../../local/system-error.ts';
import { PACK_NAME } from '../files/pack-folder.ts';
import { answering, ROUTING } from '../http/answer.ts';
import { cacheControlFor } from '../http/cache-control.ts';

/**
 * `GET /extensions`: the scripts that a front end imports: its own below `extensions/`, then the pack's.
 * @param extensionRoot the pack's scripts, built; may be missing.
 * @see ComfyUI 618b803d server.py get_extensions
 */
export function extensionListRoute(extensionRoot: string, frontEndRoot: string | undefined): Router {
  const router = Router(ROUTING);
  router.get(
    '/extensions',
    answering(async (_request, response) => {
      const own = frontEndRoot === undefined ? [] : await scriptsIn(join(frontEndRoot, 'extensions'));
      const pack = await scriptsIn(extensionRoot);
      response.json([
        ...own.map((path) => `/extensions/${path}`),
        ...pack.map((path) => `/extensions/${PACK_NAME}/${path}`),
      ]);
    }),
  );
  return router;
}

/** Serves the pack's scripts at `/extensions/lineage/…`. */
export function extensionFiles(extensionRoot: string): Router {
  const router = Router(ROUTING);
  router.use(
    `/extensions/${PACK_NAME}`,
    express.static(extensionRoot, {
      index: false,
      redirect: false,
      cacheControl: false,
      setHeaders: (response, path) =>
        response.setHeader('Cache-Control', cacheControlFor(path) ?? 'no-cache'),
    }),
  );
  return router;
}

async function scriptsIn(folder: string): Promise<readonly string[]> {
  try {
    const root = await realpath(folder);
    const { entries } = await listFiles(root, root, { recurse: true, hidden: false });
    return entries
      .filter(({ kind, path }) => kind === 'file' && path.endsWith('.js'))
      .map(({ path }) => path);
  } catch (error) {
    if (UNREACHABLE.has(codeOf(error))) return [];
    throw error;
  }
}
