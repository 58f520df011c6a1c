import { join, resolve } from 'node:path';
import { Router } from 'express';
import type { ModelFolders } from '../../local/model-folders.ts';
import type { RuntimeFolders } from '../folders.ts';
import { ROUTING } from '../http/answer.ts';
import type { Log } from '../log.ts';
import type { NodeTable } from '../nodes/node-table.ts';
import { createUserSettings } from '../users/user-settings.ts';
import { createUsers } from '../users/users.ts';
import { experimentModelsRoutes } from './experiment-models.ts';
import { extensionFiles, extensionListRoute } from './extensions.ts';
import { globalSubgraphRoutes } from './global-subgraphs.ts';
import { i18nRoute } from './i18n.ts';
import { internalFileRoutes } from './internal-files.ts';
import { modelsRoutes } from './models.ts';
import { nodeHelpRoutes } from './node-help.ts';
import { settingsRoutes } from './settings.ts';
import { staticRoutes } from './static.ts';
import { uploadRoutes } from './upload.ts';
import { userListRoutes } from './user-lists.ts';
import { userdataRoutes } from './userdata.ts';
import { usersRoutes } from './users.ts';
import { viewRoute } from './view.ts';
import { viewMetadataRoute } from './view-metadata.ts';
import { workflowTemplateRoutes } from './workflow-templates.ts';

/** What the routes that touch files need to know. */
export type FileRouteOptions = {
  readonly folders: RuntimeFolders;
  readonly nodes: NodeTable;
  readonly models: ModelFolders;
  /** The official front end's `static` folder; without it `/` is our own page. */
  readonly frontEndRoot?: string;
  /** Our own page, built. */
  readonly pageRoot?: string;
  /** The pack: `web/dist/comfyui`, `locales`, `example_workflows`, `subgraphs`; each may be missing. */
  readonly packRoot?: string;
  /** The longest upload, and file of a user, in bytes. */
  readonly maxUploadBytes: number;
  /** Users by the header `comfy-user`, as `--multi-user`. */
  readonly multiUser?: boolean;
  readonly log: Log;
};

/**
 * Every route that touches files. They read the bodies of their requests themselves: no parser of bodies may stand
 * before them.
 *
 * @returns `api` for both `/` and `/api`, where ComfyUI has these routes; `root` for `/` alone, and last: it holds
 *   the static files.
 */
export function fileRoutes(options: FileRouteOptions): { readonly api: Router; readonly root: Router } {
  const { folders, nodes, models, frontEndRoot, maxUploadBytes, log } = options;
  const packRoot = options.packRoot ?? resolve(import.meta.dirname, '../../..');
  const pageRoot = options.pageRoot ?? join(packRoot, 'web/dist/page');
  const extensionRoot = join(packRoot, 'web/dist/comfyui');
  const users = createUsers(folders.user, options.multiUser ?? false);

  const api = Router(ROUTING).use(
    viewRoute(folders),
    uploadRoutes({ folders, maxUploadBytes }),
    usersRoutes(users),
    settingsRoutes(users, createUserSettings(log)),
    userListRoutes(users, log),
    userdataRoutes(users, maxUploadBytes),
    modelsRoutes(models),
    experimentModelsRoutes(models),
    viewMetadataRoute(models),
    extensionListRoute(extensionRoot, frontEndRoot),
    i18nRoute(packRoot, log),
    workflowTemplateRoutes(packRoot),
    globalSubgraphRoutes(packRoot, log),
  );
  const root = Router(ROUTING).use(
    internalFileRoutes(folders, models),
    extensionFiles(extensionRoot),
    staticRoutes({ root: frontEndRoot ?? pageRoot, isOurs: frontEndRoot === undefined }),
    nodeHelpRoutes(nodes),
  );
  return { api, root };
}
