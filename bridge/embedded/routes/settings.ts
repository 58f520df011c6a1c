import { type Request, Router } from 'express';
import { LineageError } from '../../../nodes/kit/errors.ts';
import { answering, pathText, ROUTING, sendNothing } from '../http/answer.ts';
import { readJsonBody } from '../http/json-body.ts';
import { isSettings, type UserSettings } from '../users/user-settings.ts';
import type { Users } from '../users/users.ts';

/**
 * `GET` and `POST /settings`, `GET` and `POST /settings/{id}`: all settings of a user, or one (null where it is not
 * set). An unknown user is 401.
 * @see ComfyUI 618b803d app/app_settings.py
 */
export function settingsRoutes(users: Users, settings: UserSettings): Router {
  const router = Router(ROUTING);
  /** Runs a handler for the folder of a user who exists. */
  const forUser = (
    handle: (
      folder: string,
      request: Request,
      response: Parameters<typeof sendNothing>[0],
    ) => Promise<unknown>,
  ) =>
    answering(async (request, response) => {
      const folder = await users.folderOf(request);
      if (folder === undefined) return sendNothing(response, 401);
      await handle(folder, request, response);
    });

  router.get(
    '/settings',
    forUser(async (folder, _request, response) => response.json(await settings.read(folder))),
  );
  router.get(
    '/settings/:id',
    forUser(async (folder, request, response) => {
      const all = await settings.read(folder);
      const id = pathText(request, 'id');
      response.json(Object.hasOwn(all, id) ? all[id] : null);
    }),
  );
  router.post(
    '/settings',
    forUser(async (folder, request, response) => {
      const body = await readJsonBody(request);
      if (!isSettings(body)) throw new LineageError('request/malformed', 'expected an object of settings');
      await settings.merge(folder, body);
      sendNothing(response, 200);
    }),
  );
  router.post(
    '/settings/:id',
    forUser(async (folder, request, response) => {
      const id = pathText(request, 'id');
      if (id === '__proto__') throw new LineageError('request/malformed', 'expected an ordinary id');
      await settings.merge(folder, { [id]: await readJsonBody(request) });
      sendNothing(response, 200);
    }),
  );
  return router;
}
