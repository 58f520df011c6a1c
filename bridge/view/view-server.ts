import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import express, { type RequestHandler, Router } from 'express';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { RuleFiles } from '../../nodes/kit/rule-files.ts';
import { sendUserFile } from '../embedded/files/send-file.ts';
import { answering, pathText, ROUTING, sendText } from '../embedded/http/answer.ts';
import { drain } from '../embedded/http/drain.ts';
import { listenOn, stopListening } from '../embedded/http/listen.ts';
import { failureMiddleware } from '../embedded/routes/failure.ts';
import { securityMiddleware } from '../embedded/security/security.ts';
import { isSameSecret } from '../embedded/security/token.ts';
import { readFileChecked } from '../local/read-file.ts';
import { createPageWatch } from './page-watch.ts';
import { tellFile } from './tell-file.ts';

/** What is shown, and how. */
export type ViewOptions = {
  /** Paths of pictures: these files and no others are served. */
  readonly files: readonly string[];
  /** 0: any free one. */
  readonly port: number;
  /** The node that saved the pictures, for those whose graph has several. */
  readonly node?: string;
  readonly rules: RuleFiles;
  /** The longest file that is read, in bytes. */
  readonly maxBytes: number;
  /** So long after the last page was closed, `deserted` is called. */
  readonly closedForMs: number;
  readonly deserted: () => void;
  /** Faults of ours, one a line. */
  readonly note: (text: string) => void;
  /** The page, built. */
  readonly pageRoot?: string;
};

/** A server that answers on this machine only. */
export type ViewServer = {
  /** With the token in its path: `http://127.0.0.1:PORT/TOKEN/`. */
  readonly url: string;
  close(): Promise<void>;
};

/** Only what is built for it: no script in the page itself, nothing from elsewhere, in nobody's frame. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  // Texts of pictures cannot become HTML, even by a mistake of ours.
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');
const PAGE_FILES = ['index.html', 'icon.svg', 'view.css', 'view.css.map', 'view.js', 'view.js.map'];
const TOKEN_BYTES = 24;
const CLOSE_GRACE_MS = 200;

/**
 * Serves a page for some pictures, to whoever knows the token, and to nobody beyond this machine. It writes nothing.
 *
 * Below `/TOKEN/`: the page and its parts; `files`: the names; `files/N`: what the Nth says of itself; `files/N/picture`:
 * its bytes; `open`: a stream that lasts as long as the page.
 *
 * The token is part of the path, not of a cookie: browsers send cookies of 127.0.0.1 to the servers of all its ports, and two
 * of these run side by side. It is random, and ends with this server.
 *
 * @throws LineageError `serve/port-taken`, `serve/cannot-listen`
 */
export async function startViewServer(options: ViewOptions): Promise<ViewServer> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const watch = createPageWatch(options.closedForMs, options.deserted);
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.use(securityMiddleware({ allowedHosts: [] }), readOnly, tokenPath(token));
  app.use(pageRoutes(options.pageRoot ?? resolve(import.meta.dirname, '../../web/dist/view')));
  app.use(fileRoutes(options));
  app.get('/open', (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write(': open\n\n');
    response.on('close', watch.enter());
  });
  app.use((_request, response) => sendText(response, 404, '404: no such page'));
  app.use(failureMiddleware((_level, message) => options.note(message)));
  const listening = await listenOn(['127.0.0.1'], options.port, app);
  return {
    url: `${listening.url}/${token}/`,
    async close() {
      watch.stop();
      await stopListening(listening, CLOSE_GRACE_MS);
    },
  };
}

const readOnly: RequestHandler = async (request, response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD') return next();
  await drain(request);
  response.setHeader('Allow', 'GET, HEAD');
  sendText(response, 405, '405: this server only shows');
};

/** Takes the token off the path, and refuses a path without it. */
function tokenPath(token: string): RequestHandler {
  return (request, response, next) => {
    // The address of the page is a secret: no other page is told where somebody came from.
    response.setHeader('Referrer-Policy', 'no-referrer');
    response.setHeader('Cache-Control', 'no-store');
    const [, given = '', ...rest] = request.url.split('/');
    if (!isSameSecret(given, token))
      return sendText(response, 401, '401: open the address that lineage view printed, with its token');
    if (rest.length === 0) return response.redirect(`/${token}/`);
    request.url = `/${rest.join('/')}`;
    next();
  };
}

function pageRoutes(root: string): Router {
  const router = Router(ROUTING);
  const send = (name: string): RequestHandler => {
    const headers = { 'Content-Security-Policy': PAGE_POLICY };
    return (_request, response) =>
      response.sendFile(join(root, name), { cacheControl: false, dotfiles: 'allow', headers }, (error) => {
        if (error && !response.headersSent)
          sendText(response, 404, 'This page is not built: run "npm ci" in the folder of lineage.\n');
      });
  };
  router.get('/', send('index.html'));
  for (const name of PAGE_FILES) router.get(`/${name}`, send(name));
  return router;
}

function fileRoutes({ files, node, rules, maxBytes }: ViewOptions): Router {
  const router = Router(ROUTING);
  const named = (text: string): string => {
    const file = /^\d{1,9}$/.test(text) ? files[Number(text)] : undefined;
    if (file !== undefined) return file;
    throw new LineageError('file/missing', `expected the number of a file, 0 to ${files.length - 1}`);
  };
  router.get('/files', (_request, response) => void response.json(files));
  router.get(
    '/files/:number',
    answering(
      async (request, response) => {
        const bytes = await readFileChecked(named(pathText(request, 'number')), maxBytes);
        response.json(await tellFile(bytes, { rules, ...(node !== undefined && { node }) }));
      },
      { 'file/unreadable': 403 },
    ),
  );
  router.get(
    '/files/:number/picture',
    answering((request, response) => sendUserFile(response, resolve(named(pathText(request, 'number')))), {
      'file/unreadable': 403,
    }),
  );
  return router;
}
