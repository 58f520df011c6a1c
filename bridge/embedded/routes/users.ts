import { Router } from 'express';
import { LineageError } from '../../../nodes/kit/errors.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { isFolderThere } from '../../local/resolve-inside.ts';
import { answering, ROUTING } from '../http/answer.ts';
import { readJsonBody } from '../http/json-body.ts';
import type { Users } from '../users/users.ts';

/**
 * `GET /users` and `POST /users {"username"}`. Without several users the first says whether anything was kept yet
 * (`migrated`): a front end asks it before all else and moves what an old browser kept.
 * @see ComfyUI 618b803d app/user_manager.py
 */
export function usersRoutes(users: Users): Router {
  const router = Router(ROUTING);
  router.get(
    '/users',
    answering(async (request, response) => {
      const storage = 'server';
      if (users.multiUser) response.json({ storage, users: Object.fromEntries(await users.all()) });
      else {
        const folder = await users.folderOf(request);
        response.json({ storage, migrated: folder !== undefined && (await isFolderThere(folder)) });
      }
    }),
  );
  router.post(
    '/users',
    answering(async (request, response) => {
      const body = await readJsonBody(request);
      const name = isRecord(body) ? body['username'] : undefined;
      if (typeof name !== 'string') throw new LineageError('request/malformed', 'expected a username');
      const added = await users.add(name);
      response.status(typeof added === 'string' ? 200 : 400).json(added);
    }),
  );
  return router;
}
