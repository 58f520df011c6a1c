const DAY = 24 * 3600;
const YEAR = 365 * DAY;

const PICTURE = /\.(?:jpe?g|png|ppm|bmp|pgm|tiff?|webp)$/i;
/** What a bundler names by its content: another content is another name. */
const HASHED_ASSET = /\/assets\/(?:.*\/)?[^/]+-[\w-]{8}\.[a-z0-9]+$/;

/**
 * How long a browser may keep a file of a front end: scripts and styles are asked for anew each time (which costs a
 * 304), pictures stay for a day. Files that carry a hash of their content in their name, which ComfyUI 0.8 asks for anew as
 * well, stay for a year. What is missing is never kept.
 *
 * @param path of the request, without the query.
 * @returns undefined where the browser shall decide.
 * @see ComfyUI 618b803d middleware/cache_middleware.py
 */
export function cacheControlFor(path: string): string | undefined {
  if (HASHED_ASSET.test(path)) return `public, max-age=${YEAR}, immutable`;
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (/\.(?:js|css)$/.test(path) || (name.startsWith('index') && name.endsWith('.json'))) return 'no-cache';
  return PICTURE.test(path) ? `public, max-age=${DAY}` : undefined;
}
