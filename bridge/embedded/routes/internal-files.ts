import { realpath } from 'node:fs/promises';
import { Router } from 'express';
import { isClientFolder } from '../../local/annotated-name.ts';
import { UNREACHABLE } from '../../local/folder-index.ts';
import { type Listed, listFiles } from '../../local/list-files.ts';
import type { ModelFolders } from '../../local/model-folders.ts';
import { codeOf } from '../../local/system-error.ts';
import type { RuntimeFolders } from '../folders.ts';
import { answering, pathText, ROUTING } from '../http/answer.ts';

/**
 * `GET /internal/files/{input,output,temp}`: the files right in a folder, the newest first; `GET
 * /internal/folder_paths`: the model folders with their paths. For ComfyUI's front end alone; no `/api` form.
 * @see ComfyUI 618b803d api_server/routes/internal/internal_routes.py
 */
export function internalFileRoutes(folders: RuntimeFolders, models: ModelFolders): Router {
  const router = Router(ROUTING);
  router.get(
    '/internal/files/:type',
    answering(async (request, response) => {
      const type = pathText(request, 'type');
      if (!isClientFolder(type)) response.status(400).json({ error: 'Invalid directory type' });
      else response.json(await newestFirst(folders[type]));
    }),
  );
  router.get('/internal/folder_paths', (_request, response) => {
    response.json(Object.fromEntries(models.names.map((name) => [name, models.pathsOf(name) ?? []])));
  });
  return router;
}

async function newestFirst(folder: string): Promise<readonly string[]> {
  let entries: readonly Listed[];
  try {
    const root = await realpath(folder);
    ({ entries } = await listFiles(root, root, { recurse: false, hidden: false }));
  } catch (error) {
    // Made when the first file is written.
    if (UNREACHABLE.has(codeOf(error))) return [];
    throw error;
  }
  const files = entries.filter(({ kind }) => kind === 'file');
  return [...files].sort((a, b) => b.state.mtimeMs - a.state.mtimeMs).map(({ name }) => name);
}
