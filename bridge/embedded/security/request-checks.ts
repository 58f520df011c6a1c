import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** What a check makes of a request: nothing, or the status and reason to refuse it with. */
export type Refusal = { readonly status: number; readonly reason: string } | undefined;

/** Names that always mean this machine. */
const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Refuses a request that names its host otherwise than by one Host header: which of two names counts, or whether that of
 * `GET http://other/` does, is seen differently by a proxy and by this server.
 */
export function checkTarget({ url = '', rawHeaders }: Pick<IncomingMessage, 'url' | 'rawHeaders'>): Refusal {
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1) return { status: 400, reason: 'more than one Host header' };
  if (url.startsWith('/') || url === '*') return undefined;
  return { status: 400, reason: 'expected a path, got a whole URL' };
}

/**
 * Refuses a Host that is not among the names of this server. A page of evil.com whose name is made to point at
 * 127.0.0.1 (DNS rebinding) is of the same origin for the browser; only the name gives it away.
 *
 * @param allowed names beside those of this machine, without ports; IPv6 addresses in brackets.
 */
export function checkHost(headers: IncomingHttpHeaders, allowed: readonly string[]): Refusal {
  const host = splitHost(headers.host ?? '');
  if (host === undefined) return { status: 400, reason: 'no usable Host header' };
  if ([...LOCAL_NAMES, ...allowed].some((name) => name.toLowerCase() === host.name)) return undefined;
  return { status: 403, reason: 'this server is not known under that Host' };
}

/**
 * Refuses what a page of another origin sends. `Origin`, where there is one, must be that of the Host; `null` (a
 * sandboxed frame, a local file) never is. Where a browser says that a page of another site asks, only a link to
 * follow is let through, since it changes nothing and its answer stays out of that page's reach.
 */
export function checkOrigin(method: string, headers: IncomingHttpHeaders): Refusal {
  const { origin } = headers;
  if (origin !== undefined && !isOriginOf(origin, headers.host ?? '')) {
    return { status: 403, reason: 'Origin and Host differ' };
  }
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined;
  const reads = method === 'GET' || method === 'HEAD';
  // Same site is another port or sub domain: its pages may show a picture, but send nothing (that has an Origin).
  if (site === 'same-site' && (reads || origin !== undefined)) return undefined;
  const followsLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return method === 'GET' && followsLink
    ? undefined
    : { status: 403, reason: 'sent by a page of another site' };
}

/**
 * Refuses bodies that a page of another site could send without being asked first: forms, plain text, anything
 * without a type. Where only JSON is taken, `application/json` always passes. Other types pass for programs, which
 * are not steered by a page (Python's urllib says that its JSON is a form), and plain text for pages of our own
 * origin, as the official front end posts settings.
 */
export function checkJsonType(headers: IncomingHttpHeaders): Refusal {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/json' || type.endsWith('+json') || !hasBody(headers)) return undefined;
  if (!isBrowser(headers)) return undefined;
  // `checkOrigin` has compared them already.
  const ownPage = headers.origin !== undefined || headers['sec-fetch-site'] === 'same-origin';
  if (ownPage && (type === 'text/plain' || type === '')) return undefined;
  return { status: 415, reason: 'expected application/json' };
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Browsers cannot be made to leave all of these out. */
function isBrowser(headers: IncomingHttpHeaders): boolean {
  return (
    headers.origin !== undefined ||
    headers['sec-fetch-site'] !== undefined ||
    headers.referer !== undefined ||
    headers.cookie !== undefined ||
    /^Mozilla\//i.test(headers['user-agent'] ?? '')
  );
}

/** Whether an origin is that of the host; the port that a scheme implies may be written or not. */
function isOriginOf(origin: string, host: string): boolean {
  const match = /^(https?):\/\/([^/?#@\s]+)$/i.exec(origin);
  const [, scheme = '', authority = ''] = match ?? [];
  const from = splitHost(authority);
  const to = splitHost(host);
  if (!from || !to || from.name !== to.name) return false;
  const implied = scheme.toLowerCase() === 'https' ? '443' : '80';
  return (from.port || implied) === (to.port || implied);
}

/** A Host header's two parts: the name in lower case, without a final dot; '' for no port. */
function splitHost(host: string): { readonly name: string; readonly port: string } | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::(\d{1,5}))?$/i.exec(host);
  return match?.[1] === undefined ? undefined : { name: match[1].toLowerCase(), port: match[2] ?? '' };
}
