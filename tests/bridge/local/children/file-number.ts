import { createHash } from 'node:crypto';
import type { FileIdentity } from '../../../../bridge/local/file-identity.ts';
import type { FileHashes } from '../../../../nodes/kit/values.ts';

/** A file that is not there: an identity and hashes made of a number, the same in every process. */
export function fileNumber(number: number): { identity: FileIdentity; hashes: FileHashes } {
  const sha256 = createHash('sha256').update(String(number)).digest('hex');
  return {
    identity: {
      device: 1n,
      inode: BigInt(number),
      bytes: 6_500_000_000n,
      mtimeNs: 1_760_000_000_123_456_789n,
      ctimeNs: 5n,
    },
    hashes: { sha256, autoV1: sha256.slice(8, 16), autoV2: sha256.slice(0, 10) },
  };
}
