import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ModelStore } from '../../nodes/kit/host.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';
import { openLedger } from '../local/ledger.ts';
import { createModelStore } from '../local/model-store.ts';
import type { Terminal } from './terminal.ts';

/** Files below this hash too fast for a progress line to be read. */
const PROGRESS_BYTES = 256 * 1024 * 1024;
const NO_MODELS: ModelStore = {
  find: async () => ({ found: false, reason: 'unconfigured' }),
  hash: () => Promise.reject(new Error('there are no model folders, so there is no file to hash')),
};

/**
 * Runs work with the model folders of `--models` and this user's ledger of hashes, and closes both behind it.
 */
export async function withModels<T>(
  folders: readonly string[],
  warn: WarningSink,
  { note }: Terminal,
  work: (models: ModelStore) => Promise<T>,
): Promise<T> {
  if (folders.length === 0) return await work(NO_MODELS);
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
