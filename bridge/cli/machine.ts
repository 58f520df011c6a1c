import type { ModelStore } from '../../nodes/kit/host.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';
import { readEnvironment } from '../local/environment.ts';
import { homeFolder, ledgerIn } from '../local/home.ts';
import { openModels } from '../local/open-models.ts';
import type { Terminal } from './terminal.ts';

/** Files below this hash too fast for a progress line to be read. */
const PROGRESS_BYTES = 256 * 1024 * 1024;

/**
 * Runs work with the model folders of `--models` and this user's ledger of hashes, and closes both behind it.
 */
export async function withModels<T>(
  folders: readonly string[],
  warn: WarningSink,
  { note }: Terminal,
  work: (models: ModelStore) => Promise<T>,
): Promise<T> {
  const home = homeFolder();
  const { forceRehash } = readEnvironment(process.env, note);
  const { models, close } = openModels({
    folders,
    forceRehash,
    ledgerFile: ledgerIn(home),
    warn({ code, message, where }) {
      if (code === 'ledger/unusable') warn(code, `${message}; hashes are kept for this run only`, home);
      else warn('resource/unreadable', message, where.file);
    },
    onProgress: (file, bytes, total) => {
      if (total >= PROGRESS_BYTES)
        note(`hashing ${file}: ${Math.floor((bytes / total) * 100)} % of ${total} bytes`);
    },
  });
  try {
    return await work(models);
  } finally {
    await close();
  }
}
