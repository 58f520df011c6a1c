import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express, { type RequestHandler } from 'express';
import type { RuntimeFolders } from '../../../../bridge/embedded/folders.ts';
import { type FileRouteOptions, fileRoutes } from '../../../../bridge/embedded/routes/files.ts';
import { SERVER_LIMITS } from '../../../../bridge/embedded/security/server-limits.ts';
import { createModelFolders } from '../../../../bridge/local/model-folders.ts';
import type { GraphNode } from '../../../../nodes/kit/graph-node.ts';

/** What came back, byte for byte. */
export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  json(): unknown;
};

/** A request as it goes over the wire: nothing in its path is normalised. */
export type Asking = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
};

export type TestServer = {
  readonly port: number;
  readonly server: Server;
  ask(path: string, asking?: Asking): Promise<Answer>;
  close(): Promise<void>;
};

/** Any handler behind a real socket. */
export async function serve(app: RequestHandler, limits: object = SERVER_LIMITS): Promise<TestServer> {
  const server = createServer({ ...limits }, express().disable('x-powered-by').use(app));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('expected a port');
  const { port } = address;
  return {
    port,
    server,
    ask: (path, asking) => ask(port, path, asking),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Asking = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length =
      body === undefined || 'transfer-encoding' in headers
        ? {}
        : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = httpRequest({
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: { ...length, ...headers },
      agent: false,
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(parts);
        const text = bytes.toString('utf8');
        const status = response.statusCode ?? 0;
        resolve({ status, headers: response.headers, bytes, text, json: (): unknown => JSON.parse(text) });
      });
    });
    sent.end(body);
  });
}

/** A folder for everything, with the runtime's folders in it and one beside them that nobody may reach. */
export type TestFolders = RuntimeFolders & { readonly top: string; readonly outside: string };

export function makeFolders(): TestFolders {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'lineage-files-')));
  const folders = {
    top,
    outside: join(top, 'outside'),
    input: join(top, 'base', 'input'),
    output: join(top, 'base', 'output'),
    temp: join(top, 'base', 'temp'),
    user: join(top, 'base', 'user'),
    models: [join(top, 'base', 'models')],
  };
  for (const folder of [
    folders.outside,
    folders.input,
    folders.output,
    folders.temp,
    folders.user,
    ...folders.models,
  ])
    mkdirSync(folder, { recursive: true });
  return folders;
}

export function removeFolders({ top }: TestFolders): void {
  rmSync(top, { recursive: true });
}

/** The file routes on a bare express app, mounted as the server mounts them. */
export async function serveFiles(
  folders: RuntimeFolders,
  options: Partial<Omit<FileRouteOptions, 'folders'>> = {},
): Promise<TestServer & { readonly logged: readonly string[] }> {
  const logged: string[] = [];
  const { api, root } = fileRoutes({
    folders,
    nodes: new Map<string, GraphNode & { readonly pythonModule: string }>(),
    models: createModelFolders(folders.models),
    maxUploadBytes: 1024 * 1024,
    packRoot: join(folders.user, '..', 'pack'),
    log: (level, message) => logged.push(`${level}: ${message}`),
    ...options,
  });
  const app = express();
  app.use('/api', api).use(api).use(root);
  app.use((_request, response) => void response.status(404).end());
  const failed: express.ErrorRequestHandler = (error: unknown, _request, response, _next) => {
    logged.push(String(error));
    response.status(500).end();
  };
  app.use(failed);
  return { ...(await serve(app)), logged };
}

/** A form as a browser sends it. */
export function form(
  fields: Readonly<Record<string, string>>,
  files: Readonly<Record<string, readonly [name: string, bytes: Uint8Array]>> = {},
): Required<Pick<Asking, 'method' | 'headers' | 'body'>> {
  const boundary = 'form-boundary-0a1b2c';
  const parts: Uint8Array[] = [];
  const add = (head: string, bytes: Uint8Array): void => {
    parts.push(
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
      bytes,
      Buffer.from('\r\n'),
    );
  };
  for (const [name, value] of Object.entries(fields)) add(`name="${name}"`, Buffer.from(value));
  for (const [name, [file, bytes]] of Object.entries(files)) {
    add(`name="${name}"; filename="${file}"\r\nContent-Type: image/png`, bytes);
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return {
    method: 'POST',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat(parts),
  };
}
