import type { IncomingMessage } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { drain } from '../http/drain.ts';
import { readJsonBody } from '../http/json-body.ts';
import { LOGIN_PAGE, LOGIN_PAGE_POLICY, LOGIN_PATH } from './login-page.ts';
import { checkHost, checkJsonType, checkOrigin, checkTarget, type Refusal } from './request-checks.ts';
import { hasToken, isSameSecret, SESSION_COOKIE, sessionOf } from './token.ts';

/** Who may talk to the server. */
export type SecurityOptions = {
  /**
   * Names and addresses that the server is reached by, beside localhost, 127.0.0.1 and [::1]; without ports, IPv6 in
   * brackets.
   */
  readonly allowedHosts: readonly string[];
  /** Asked of every request where it is given; a must beyond loopback. */
  readonly token?: string;
};

/** Bodies of these are files, not JSON: multipart, whatever a user keeps, and a picture that is only read. */
const FILE_ROUTES = /^(?:\/api)?\/(?:upload\/|userdata\/|lineage\/workflow$)/;

/**
 * Stands before every route: refuses what a page of another site could make a browser send, and requests without the
 * token; answers `OPTIONS` and the login itself; sets the headers that every answer has. No CORS header is ever set.
 * A refusal is plain text, and the reason says nothing that the client did not say itself.
 */
export function securityMiddleware(options: SecurityOptions): RequestHandler {
  const { token } = options;
  return async (request, response, next) => {
    setHeaders(response);
    const refusal =
      checkTarget(request) ??
      checkHost(request.headers, options.allowedHosts) ??
      checkOrigin(request.method, request.headers);
    if (refusal) return await refuse(request, response, refusal);
    // As ComfyUI answers it, and without a word that would let another origin in.
    if (request.method === 'OPTIONS') return void response.status(200).end();
    if (token !== undefined && request.path === LOGIN_PATH) return await logIn(request, response, token);
    if (token !== undefined && !hasToken(request.headers, token)) return await askForToken(request, response);
    const type = FILE_ROUTES.test(request.path) ? undefined : checkJsonType(request.headers);
    if (type) return await refuse(request, response, type);
    next();
  };
}

/**
 * The same rules for a WebSocket: to be asked before the handshake, since express never sees it. Where the client
 * offers subprotocols, answer with `chooseProtocol`.
 */
export function checkUpgrade(
  request: IncomingMessage,
  options: SecurityOptions,
): { readonly ok: true } | { readonly ok: false; readonly status: number; readonly reason: string } {
  const { headers } = request;
  // Not as a GET: a socket is no link to follow.
  const refusal =
    checkTarget(request) ?? checkHost(headers, options.allowedHosts) ?? checkOrigin('UPGRADE', headers);
  if (refusal) return { ok: false, ...refusal };
  if (options.token !== undefined && !hasToken(headers, options.token))
    return { ok: false, status: 401, reason: 'the token is missing' };
  return { ok: true };
}

function setHeaders(response: Response): void {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'same-origin');
  response.setHeader('X-Frame-Options', 'SAMEORIGIN');
  // Pages of other origins cannot show our pictures or run our scripts either.
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
}

async function refuse(request: Request, response: Response, refusal: NonNullable<Refusal>): Promise<void> {
  await drain(request);
  response.status(refusal.status).type('text/plain').send(`${refusal.status}: ${refusal.reason}`);
}

async function askForToken(request: Request, response: Response): Promise<void> {
  if (request.method === 'GET' && request.headers['sec-fetch-mode'] === 'navigate') {
    response.setHeader('Content-Security-Policy', LOGIN_PAGE_POLICY);
    response.setHeader('Cache-Control', 'no-store');
    return void response.status(401).type('text/html').send(LOGIN_PAGE);
  }
  response.setHeader('WWW-Authenticate', 'Bearer');
  await refuse(request, response, { status: 401, reason: 'the token is missing' });
}

async function logIn(request: Request, response: Response, token: string): Promise<void> {
  if (request.method !== 'POST')
    return await refuse(request, response, { status: 405, reason: 'expected POST' });
  const type = checkJsonType(request.headers);
  if (type) return await refuse(request, response, type);
  let given: unknown;
  try {
    const body = await readJsonBody(request);
    given = isRecord(body) ? body['token'] : undefined;
  } catch (error) {
    if (!isLineageError(error)) throw error;
    return await refuse(request, response, { status: 400, reason: 'expected {"token": "…"}' });
  }
  if (typeof given !== 'string' || !isSameSecret(given, token))
    return await refuse(request, response, { status: 401, reason: 'not the token' });
  const cookie = `${SESSION_COOKIE}=${sessionOf(token)}; Path=/; HttpOnly; SameSite=Strict`;
  response.setHeader('Set-Cookie', request.secure ? `${cookie}; Secure` : cookie);
  response.status(204).end();
}
