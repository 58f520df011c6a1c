import type { LineageError } from '../../nodes/kit/errors.ts';
import type { ModelStore } from '../../nodes/kit/host.ts';
import { createMemoryLedger, openLedger } from './ledger.ts';
import { createModelStore, type ModelStoreOptions } from './model-store.ts';

/** Model files, and how to let go of them. */
export type ModelAccess = {
  readonly models: ModelStore;
  /** Ends the hashing and closes the ledger. */
  close(): Promise<void>;
};

type OpenModelsOptions = Omit<ModelStoreOptions, 'ledger'> & {
  /** undefined: hashes are kept as long as this is open. */
  readonly ledgerFile: string | undefined;
  /** Gets at most one `ledger/unusable`, and `models/not-a-folder` for folders of one kind; the work goes on. */
  readonly warn: (error: LineageError) => void;
};

const NO_MODELS: ModelAccess = {
  models: {
    find: async () => ({ found: false, reason: 'unconfigured' }),
    hash: () => Promise.reject(new Error('there are no model folders, so there is no file to hash')),
  },
  close: async () => undefined,
};

/**
 * Opens the model folders with the ledger of their hashes; where neither folders nor shelves are given there is
 * nothing to open.
 *
 * @throws LineageError `models/not-a-folder`; then nothing is left open
 */
export function openModels({ ledgerFile, warn, ...of }: OpenModelsOptions): ModelAccess {
  if (of.folders.length === 0 && of.shelves === undefined) return NO_MODELS;
  const ledger = ledgerFile === undefined ? createMemoryLedger() : openLedger(ledgerFile, warn);
  try {
    const models = createModelStore({ ...of, ledger, warn });
    return {
      models,
      async close() {
        await models.close();
        ledger.close();
      },
    };
  } catch (error) {
    ledger.close();
    throw error;
  }
}
