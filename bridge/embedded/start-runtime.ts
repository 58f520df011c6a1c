import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import express, { type Express, Router } from 'express';
import { LineageError } from '../../nodes/kit/errors.ts';
import { readEnvironment } from '../local/environment.ts';
import { createInputFiles, listInputImages } from '../local/input-folder.ts';
import { createKernelPool } from '../local/kernel-pool.ts';
import { createMemoryWatch } from '../local/memory-watch.ts';
import { createModelFolders, type ModelFolders } from '../local/model-folders.ts';
import { openModels } from '../local/open-models.ts';
import { createRuleStore } from '../local/rule-store.ts';
import { reasonOf } from '../local/system-error.ts';
import { createPipelineRunner, MERGED_FOLDER } from '../pipeline/pipeline-runner.ts';
import { createExecutor } from './execution/execute.ts';
import type { RuntimeFolders } from './folders.ts';
import { guardProcess } from './guard-process.ts';
import { ROUTING } from './http/answer.ts';
import { listenOn, stopListening } from './http/listen.ts';
import { createHosts } from './node-host.ts';
import { createNodeTable, type NodeTable } from './nodes/node-table.ts';
import { type MenuFiles, menuFolders, objectInfo } from './nodes/object-info.ts';
import { createPromptQueue } from './queue/prompt-queue.ts';
import { createRunHistory } from './queue/run-history.ts';
import { createRunQueue } from './queue/run-queue.ts';
import { openStore } from './queue/store.ts';
import { failureMiddleware } from './routes/failure.ts';
import { featureRoutes, serverFeatures } from './routes/features.ts';
import { fileRoutes } from './routes/files.ts';
import { freeRoutes } from './routes/free.ts';
import { historyRoutes } from './routes/history.ts';
import { interruptRoutes } from './routes/interrupt.ts';
import { jobRoutes } from './routes/jobs.ts';
import { refuseMethod } from './routes/json-answer.ts';
import { logRoutes } from './routes/logs.ts';
import { namesIn } from './routes/models.ts';
import { objectInfoRoutes } from './routes/object-info.ts';
import { panelRoutes } from './routes/panel.ts';
import { promptRoutes } from './routes/prompt.ts';
import { queueRoutes } from './routes/queue.ts';
import { systemStatsRoutes } from './routes/system-stats.ts';
import { type SecurityOptions, securityMiddleware } from './security/security.ts';
import { resolveServeOptions, type ServeOptions } from './serve-options.ts';
import { createServerLog } from './server-log.ts';
import { createSocketHub } from './sockets/socket-hub.ts';
import { createUpgrades } from './sockets/socket-upgrade.ts';

/** A server that answers. */
export type Runtime = {
  /** `http://127.0.0.1:8188` */
  readonly url: string;
  readonly port: number;
  /** Stops the job that runs, and ends when nothing of the server is left; what waits stays in the store. */
  close(): Promise<void>;
};

/** Answers that are under way get so long when the server ends. */
const CLOSE_GRACE_MS = 1_000;

/**
 * Starts the embedded runtime: ComfyUI's API over our own executor.
 *
 * @throws LineageError `serve/…`, `nodes/…`, `models/not-a-folder`, `option/invalid`; then nothing is left open
 */
export async function startRuntime(given: ServeOptions): Promise<Runtime> {
  const options = resolveServeOptions(given);
  const { folders } = options;
  const now = (): number => Date.now();
  const serverLog = createServerLog(options.write, { verbose: options.verbose });
  const { log } = serverLog;
  /** Undone in reverse. */
  const opened: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (let undo = opened.pop(); undo; undo = opened.pop()) await undo();
  };

  try {
    checkFrontEnd(options.frontEndRoot);
    const nodes = await createNodeTable({
      extraFolders: options.nodes,
      log: (message) => log('warn', message),
    });
    // First of all that this process alone may have: a second server must not empty the folder of the first.
    const database = openStore(options.store);
    opened.push(() => database.close());
    const emptyTemp = () => rm(folders.temp, { recursive: true, force: true });
    await emptyTemp();
    opened.push(emptyTemp);
    for (const folder of [folders.input, folders.output, folders.temp, folders.user]) {
      await mkdir(folder, { recursive: true });
    }

    const queue = createPromptQueue(database);
    const history = createRunHistory(database, queue);
    const features = serverFeatures(options.maxUploadBytes);
    const hub = createSocketHub({ queueRemaining: queue.remaining, features, log });
    // Ends the heartbeat where the start fails before anybody listens.
    opened.push(() => hub.close());
    serverLog.connect((clientId, entries) => {
      if (hub.has(clientId)) hub.send('logs', { entries, size: null }, clientId);
      return hub.has(clientId);
    });

    const merged = join(folders.output, MERGED_FOLDER);
    const modelFolders = createModelFolders(folders.models, merged);
    const { owner, forceRehash } = readEnvironment(process.env, (message) => log('warn', message));
    const { models, close: closeModels } = openModels({
      forceRehash,
      folders: folders.models,
      ...(folders.models.length > 0 && { shelves: { checkpoints: [merged] } }),
      ledgerFile: options.ledger,
      warn: ({ message }) => log('warn', message),
    });
    opened.push(closeModels);
    const pipelines = createPipelineRunner({
      models,
      output: folders.output,
      ledgerFile: options.ledger,
      warn: ({ message }) => log('warn', message),
    });
    opened.push(() => pipelines.close());
    const memory = createMemoryWatch();
    const pool = createKernelPool(undefined, memory);
    opened.push(() => pool.close());
    const { disableMetadata, cache } = options;
    const rules = createRuleStore(options.rulesFolder, options.rules);
    const makeHost = createHosts({
      ...{ folders, models, pipelines, rules, disableMetadata, owner, log, now },
      classes: (): unknown => JSON.parse(objectInfo(nodes)),
    });
    const run = createRunQueue({
      queue,
      history,
      hub,
      log,
      now,
      createRunner: (events) =>
        createExecutor({ nodes, cache, events, makeHost, compute: pool.compute, memory, log, now }),
    });
    if (options.guardProcess) {
      opened.push(
        guardProcess((error) => {
          const detail = error instanceof Error ? (error.stack ?? error.message) : reasonOf(error);
          log('error', `thrown where nobody catches it: ${detail}`);
          if (!run.crash(error)) log('error', 'no prompt was running, so none failed by it');
        }),
      );
    }

    const security: SecurityOptions = {
      allowedHosts: options.allowedHosts,
      ...(options.token !== undefined && { token: options.token }),
    };
    const { frontEndRoot, maxUploadBytes } = options;
    const files = fileRoutes({
      folders,
      nodes,
      models: modelFolders,
      log,
      maxUploadBytes,
      ...(frontEndRoot !== undefined && { frontEndRoot }),
    });
    const app = createApp(security, log, {
      both: [
        promptRoutes({
          nodes,
          queue,
          queued,
          files: createInputFiles(folders),
          log,
          now,
          errorStyle: options.errorStyle,
          checkIds: options.checkIds,
        }),
        queueRoutes(queue, hub.status),
        historyRoutes(history),
        interruptRoutes(run, log),
        freeRoutes(run),
        featureRoutes(features),
        systemStatsRoutes(),
        objectInfoRoutes(nodes, () => listMenuFiles(nodes, folders, modelFolders)),
        files.api,
        Router(ROUTING).use('/lineage', panelRoutes(folders, rules)),
      ],
      api: [jobRoutes({ database, queue, history, run, changed: hub.status })],
      internal: [logRoutes(serverLog)],
      root: [files.root],
    });
    function queued(): void {
      hub.status();
      // A client that hears of its prompt's end before its number is not ready for it.
      setImmediate(run.wake);
    }

    const listening = await listenOn(options.listen, options.port, app);
    opened.push(() => stopListening(listening, CLOSE_GRACE_MS));
    const upgrade = createUpgrades(hub, security);
    for (const server of listening.servers) server.on('upgrade', upgrade);
    // Again: a server has not ended while one of its sockets is open, so these go before `stopListening`.
    opened.push(() => hub.close());
    run.start();
    // The first kernel would wait for its thread; nobody waits for it here.
    pool.warm();
    opened.push(() => run.close());
    return { url: listening.url, port: listening.port, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A wrong folder would only show as an empty page. @throws LineageError `option/invalid` */
function checkFrontEnd(root: string | undefined): void {
  if (root === undefined || existsSync(join(root, 'index.html'))) return;
  throw new LineageError(
    'option/invalid',
    'expected the static folder of a front end, got a folder without index.html',
    { option: '--front-end-root', file: root },
  );
}

async function listMenuFiles(
  nodes: NodeTable,
  { input }: Pick<RuntimeFolders, 'input'>,
  models: ModelFolders,
): Promise<MenuFiles> {
  const listed = new Map<string, readonly string[]>();
  for (const folder of menuFolders(nodes)) listed.set(folder, await namesIn(models, folder));
  return { pictures: await listInputImages(input), models: listed };
}

/** Where routes are mounted: ComfyUI has most of them at `/x` and at `/api/x`. */
type Mounts = Readonly<Record<'both' | 'api' | 'internal' | 'root', readonly Router[]>>;

function createApp(
  security: SecurityOptions,
  log: Parameters<typeof failureMiddleware>[0],
  { both, api, internal, root }: Mounts,
): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.enable('case sensitive routing').enable('strict routing');
  app.set('query parser', 'simple');
  app.use(securityMiddleware(security));
  for (const router of both) app.use('/api', router).use(router);
  for (const router of api) app.use('/api', router).use('/api/api', router);
  for (const router of internal) app.use('/internal', router);
  for (const router of root) app.use(router);
  // ComfyUI's static files stand at every path, so another method than theirs is what is wrong there.
  const refuse = refuseMethod('GET', 'HEAD');
  app.use((request, response, next) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (isRead || request.path.startsWith('/internal/')) response.status(404).end();
    else refuse(request, response, next);
  });
  app.use(failureMiddleware(log));
  return app;
}
