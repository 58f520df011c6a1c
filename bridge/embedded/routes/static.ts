import { join } from 'node:path';
import express, { type Response, Router } from 'express';
import { ROUTING, sendText } from '../http/answer.ts';
import { cacheControlFor } from '../http/cache-control.ts';

/** Our own page: nothing from elsewhere, no script in the page itself, in nobody's frame. */
const OWN_POLICY = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * ComfyUI's front end compiles code and has inline scripts; still it loads nothing from elsewhere, and no page of another
 * origin may frame it. @see ComfyUI 618b803d server.py create_block_external_middleware
 */
const FRONT_END_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
  "worker-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self' data: blob:",
  "frame-src 'self'",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join('; ');

/** The page that `/` gives and the files beside it. */
export type Site = { readonly root: string; readonly isOurs: boolean };

/**
 * `/` and every file of the page's folder. The page itself is never kept by a browser, so that it names the files
 * of this version. For ComfyUI's front end there is also an empty list of templates, which it asks for and
 * ComfyUI takes from a package.
 *
 * @param site the official front end's `static` folder, or our own page where none is given.
 */
export function staticRoutes({ root, isOurs }: Site): Router {
  const policy = isOurs ? OWN_POLICY : FRONT_END_POLICY;
  const router = Router(ROUTING);
  router.get('/', (_request, response, next) => {
    const headers = {
      'Cache-Control': 'no-cache',
      Pragma: 'no-cache',
      Expires: '0',
      'Content-Security-Policy': policy,
    };
    response.sendFile(
      join(root, 'index.html'),
      { cacheControl: false, dotfiles: 'allow', headers },
      (error) => {
        if (!error) return;
        if (response.headersSent) next(error);
        else sendText(response, 404, missingPage(isOurs));
      },
    );
  });
  const setHeaders = (response: Response, path: string): void => {
    const name = path.slice(root.length).replaceAll('\\', '/');
    const kept = cacheControlFor(name.startsWith('/') ? name : `/${name}`);
    if (kept !== undefined) response.setHeader('Cache-Control', kept);
    if (/\.(?:html?|svg|xml)$/i.test(path)) response.setHeader('Content-Security-Policy', policy);
  };
  router.use(express.static(root, { index: false, redirect: false, cacheControl: false, setHeaders }));
  if (!isOurs) {
    router.get(/^\/templates\/index(?:\.[\w-]{1,16})?\.json$/, (_request, response) => {
      response.setHeader('Cache-Control', 'no-cache');
      response.json([]);
    });
  }
  return router;
}

function missingPage(isOurs: boolean): string {
  return isOurs
    ? 'The page of this server is not built: run "npm ci" in its folder, or start it with --front-end-root.\n'
    : 'The folder given by --front-end-root holds no index.html.\n';
}
