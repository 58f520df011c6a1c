import { sep } from 'node:path';

/**
 * Whether a path is a folder or lies below it. Both must be real paths (links followed, nothing relative): a prefix
 * tells nothing of a path that still holds links.
 */
export function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
