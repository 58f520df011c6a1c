import type { BigIntStats } from 'node:fs';

/**
 * What tells one state of one file from every other, without reading it: two equal identities are taken for
 * equal contents. The change time is part of it because a tool may set the modification time back (`touch -d`,
 * `tar -x`), but nobody sets the change time. Values as `stat` gives them, nanoseconds since 1970.
 */
export type FileIdentity = {
  readonly device: bigint;
  readonly inode: bigint;
  readonly bytes: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
};

/** @param stat taken with `bigint: true`: an inode number or a time in nanoseconds does not fit a double. */
export function identityOf(stat: BigIntStats): FileIdentity {
  return {
    device: stat.dev,
    inode: stat.ino,
    bytes: stat.size,
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
  };
}

export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return (
    a.device === b.device &&
    a.inode === b.inode &&
    a.bytes === b.bytes &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs
  );
}
