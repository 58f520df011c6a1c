import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** The cookie that a browser holds after it gave the token once. */
export const SESSION_COOKIE = 'lineage_session';
/** A WebSocket client that can set no header offers the token as a subprotocol: this and the token. */
const TOKEN_PROTOCOL = 'lineage.token.';

/** Whether two secrets are the same, in a time that tells nothing of where they differ or how long they are. */
export function isSameSecret(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

/**
 * What the cookie holds: made of the token, but not the token. Browsers send cookies of a host to all its ports, so
 * another server on this machine may see it; it opens this server alone, and only until the token changes.
 */
export function sessionOf(token: string): string {
  return createHmac('sha256', token).update('lineage session').digest('base64url');
}

/**
 * Whether a request brings the token: `Authorization: Bearer`, our cookie, or for an upgrade a subprotocol. Never by
 * its URL, which ends up in logs and histories.
 */
export function hasToken(headers: IncomingHttpHeaders, token: string): boolean {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined && isSameSecret(bearer, token)) return true;
  const session = cookieOf(headers.cookie ?? '', SESSION_COOKIE);
  if (session !== undefined && isSameSecret(session, sessionOf(token))) return true;
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  return offered.some(
    (protocol) =>
      protocol.startsWith(TOKEN_PROTOCOL) && isSameSecret(protocol.slice(TOKEN_PROTOCOL.length), token),
  );
}

/**
 * Which of the offered subprotocols a WebSocket server answers with: the first that holds no token, so that the
 * secret is not sent back; where there is no other, the one with the token, for a browser insists on an answer.
 */
export function chooseProtocol(offered: ReadonlySet<string>): string | false {
  const all = [...offered];
  return all.find((protocol) => !protocol.startsWith(TOKEN_PROTOCOL)) ?? all[0] ?? false;
}

function cookieOf(cookies: string, name: string): string | undefined {
  for (const cookie of cookies.split(';')) {
    const at = cookie.indexOf('=');
    if (at > 0 && cookie.slice(0, at).trim() === name) return cookie.slice(at + 1).trim();
  }
  return undefined;
}
