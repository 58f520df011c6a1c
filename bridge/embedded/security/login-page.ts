import { createHash } from 'node:crypto';

/** Where a browser gives the token once: `POST {"token": "…"}`. */
export const LOGIN_PATH = '/lineage/login';

const STYLE = 'body{font:16px system-ui;margin:15vh auto;max-width:24rem;padding:0 1rem}input{width:100%}';
const SCRIPT = `
const form = document.querySelector('form');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const token = form.elements.token.value;
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch('${LOGIN_PATH}', { method: 'POST', headers, body: JSON.stringify({ token }) });
  if (answer.ok) location.reload();
  else document.querySelector('output').textContent = 'That is not the token of this server.';
});
`;

/** What a browser without the token sees instead of any page: a field to give it. */
export const LOGIN_PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Lineage</title><style>${STYLE}</style>
<h1>Lineage</h1><p>This server asks for the token it was started with.</p>
<form><label>Token <input name="token" type="password" autocomplete="current-password" required autofocus></label>
<p><button>Enter</button> <output></output></p></form><script>${SCRIPT}</script></html>
`;

/** Allows this page's own script and style, by their hashes, and nothing else. */
export const LOGIN_PAGE_POLICY = [
  "default-src 'none'",
  `script-src '${hashOf(SCRIPT)}'`,
  `style-src '${hashOf(STYLE)}'`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
