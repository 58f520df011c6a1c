import { homedir } from 'node:os';
import { join } from 'node:path';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { ModelStore } from '../../nodes/kit/host.ts';
import type { FileHashes } from '../../nodes/kit/values.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';
import type { RecordData } from '../../nodes/metadata/record.ts';
import { openLedger } from '../local/ledger.ts';
import { createModelStore } from '../local/model-store.ts';
import type { Terminal } from './terminal.ts';

/** Files below this hash too fast for a progress line to be read. */
const PROGRESS_BYTES = 256 * 1024 * 1024;

/**
 * Without model folders: what a record of ours says of the same names stays true, so that tagging a picture again
 * does not lose its hashes.
 */
function recordedModels(record: RecordData | undefined): ModelStore {
  const hashed = new Map<string, { readonly bytes: number; readonly hashes: FileHashes }>();
  for (const { name, bytes, sha256, autoV1, autoV2, autoV3 } of record?.resources ?? []) {
    if (!sha256 || !autoV1 || !autoV2) continue;
    hashed.set(name, { bytes: bytes ?? 0, hashes: { sha256, autoV1, autoV2, ...(autoV3 && { autoV3 }) } });
  }
  return {
    find: async (name, [folder = 'checkpoints']) => {
      const known = hashed.get(name);
      if (!known) return { found: false, reason: 'unconfigured' };
      return { found: true, folder, file: name, bytes: known.bytes };
    },
    hash: async (name) => {
      const known = hashed.get(name);
      if (!known)
        throw new LineageError('file/missing', `expected a recorded model, got ${name}`, { file: name });
      return known.hashes;
    },
  };
}

/**
 * Runs work with the model folders of `--models` and this user's ledger of hashes, and closes both behind it.
 *
 * @param record what the picture at hand says already; used where there are no folders
 */
export async function withModels<T>(
  folders: readonly string[],
  record: RecordData | undefined,
  warn: WarningSink,
  { note }: Terminal,
  work: (models: ModelStore) => Promise<T>,
): Promise<T> {
  if (folders.length === 0) return await work(recordedModels(record));
  const home = process.env['LINEAGE_HOME'] ?? join(homedir(), '.lineage');
  const ledger = openLedger(join(home, 'ledger.sqlite'), (error) =>
    warn('ledger/unusable', `${error.message}; hashes are kept for this run only`, home),
  );
  const models = createModelStore({
    folders,
    ledger,
    onProgress: (file, bytes, total) => {
      if (total >= PROGRESS_BYTES)
        note(`hashing ${file}: ${Math.floor((bytes / total) * 100)} % of ${total} bytes`);
    },
  });
  try {
    return await work(models);
  } finally {
    await models.close();
    ledger.close();
  }
}
