import { realpath, stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';

/** A user's file as clients see it. */
export type UserFile = {
  /** Relative to the user's folder or the one that was listed, with `/`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Seconds since 1970, with fractions. */
  readonly modified: number;
  readonly created: number;
};

/** Describes a file that is there; throws what the file system says. */
export async function describeUserFile(root: string, path: string): Promise<UserFile> {
  const state = await stat(path);
  return {
    path: relative(await realpath(root), path)
      .split(sep)
      .join('/'),
    size: state.size,
    ...timesOf(state),
  };
}

/** ComfyUI's two times: `created` is the change of the inode, which Python's getctime gives on Unix. */
export function timesOf(state: { readonly mtimeMs: number; readonly ctimeMs: number }): {
  readonly modified: number;
  readonly created: number;
} {
  return { modified: state.mtimeMs / 1000, created: state.ctimeMs / 1000 };
}
