import { stat } from 'node:fs/promises';
import { LineageError } from '../../nodes/kit/errors.ts';
import { identityOf } from '../local/file-identity.ts';
import type { FileHasher } from '../local/hash-file.ts';
import { hashText } from '../local/hash-text.ts';
import type { Ledger } from '../local/ledger.ts';
import { reasonOf } from '../local/system-error.ts';

/** What a model is, whatever it is called and whatever its header says. */
export type ModelHashes = {
  /** SHA-256 of what follows the header; of a model in several files that of their data hashes, joined in order. */
  readonly dataSha256: string;
  /** SHA-256 of the file; of a model in several files that of their hashes, joined in order. */
  readonly sha256: string;
};

/** Reads hashes from the ledger, and files where it does not know them. */
export type HashAccess = {
  readonly ledger: Ledger;
  readonly hasher: FileHasher;
  readonly signal: AbortSignal;
  readonly onProgress?: (file: string, bytes: number, totalBytes: number) => void;
};

/**
 * The hashes of a model.
 *
 * @param files absolute paths of the safetensors files that hold its tensors, in order.
 * @throws the reason of the signal; LineageError `file/unreadable`
 */
export async function hashModel(files: readonly string[], access: HashAccess): Promise<ModelHashes> {
  const all: ModelHashes[] = [];
  for (const file of files) all.push(await hashOne(file, access));
  const [only] = all;
  if (only && all.length === 1) return only;
  return {
    dataSha256: joinHashes(all.map(({ dataSha256 }) => dataSha256)),
    sha256: joinHashes(all.map(({ sha256 }) => sha256)),
  };
}

/** The hash of a file's data alone, which is also known of files that were hashed while they were made. */
export async function hashData(file: string, access: HashAccess): Promise<string> {
  return access.ledger.findData(await identify(file)) ?? (await hashOne(file, access)).dataSha256;
}

/** Keeps the hash of the data of a file that was hashed while it was made. */
export async function rememberData(file: string, dataSha256: string, ledger: Ledger): Promise<void> {
  ledger.rememberData(await identify(file), dataSha256);
}

async function hashOne(
  file: string,
  { ledger, hasher, signal, onProgress }: HashAccess,
): Promise<ModelHashes> {
  const identity = await identify(file);
  const [known, data] = [ledger.find(identity), ledger.findData(identity)];
  if (known && data !== undefined) return { sha256: known.sha256, dataSha256: data };
  const read = await hasher.hash(file, {
    signal,
    ...(onProgress && { onProgress: (bytes, total) => onProgress(file, bytes, total) }),
  });
  const { sha256 } = read.hashes;
  // Nothing but safetensors is let in; a file that was changed into something else meanwhile is caught by the engine.
  const dataSha256 = read.dataSha256 ?? sha256;
  ledger.remember(read.identity, read.hashes);
  ledger.rememberData(read.identity, dataSha256);
  return { sha256, dataSha256 };
}

function joinHashes(hashes: readonly string[]): string {
  return hashText(hashes.join(''));
}

async function identify(file: string): Promise<ReturnType<typeof identityOf>> {
  try {
    return identityOf(await stat(file, { bigint: true }));
  } catch (error) {
    const message = `expected a file, got: ${reasonOf(error)}`;
    throw new LineageError('file/unreadable', message, { file }, { cause: error });
  }
}
