import { applyDelta, type ByteDelta, makeDelta } from '../../nodes/formats/byte-delta.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { UndoJournal } from './journal.ts';
import { readForReplacing, replaceFile } from './replace-file.ts';
import { sha256Of } from './sha256.ts';

/** What became of a file: changed, or it would be, or it holds all of this already. */
export type FileChange = {
  readonly outcome: 'tagged' | 'would-tag' | 'right';
  readonly bytesBefore: number;
  readonly bytesAfter: number;
};

export type TagFileOptions = {
  /** Absent: nothing is changed. */
  readonly journal?: UndoJournal;
  /** The time of the last change becomes now, where it would else stay. */
  readonly touch: boolean;
  readonly maxBytes: number;
  readonly budget: ByteBudget;
  readonly signal: AbortSignal;
};

/** The old bytes, the new ones, and those that an undo would be tried with. */
const COPIES = 3;

/**
 * Replaces a file by what `make` makes of it. The journal holds how to undo it before anything is replaced; the file is the
 * old or the new one at every moment, with its mode, owner and times.
 *
 * @param make gives the same bytes where nothing is to be done.
 * @throws LineageError of reading and replacing, of the journal, and what `make` throws
 */
export async function tagFile(
  path: string,
  make: (bytes: Uint8Array) => Promise<Uint8Array>,
  { journal, touch, maxBytes, budget, signal }: TagFileOptions,
): Promise<FileChange> {
  let reserved = 0;
  const reserve = async (bytes: number): Promise<void> => {
    await budget.take(COPIES * bytes);
    reserved = COPIES * bytes;
    signal.throwIfAborted();
  };
  try {
    const { state, bytes: before } = await readForReplacing(path, maxBytes, reserve);
    const after = await make(before);
    const sizes = { bytesBefore: before.length, bytesAfter: after.length };
    if (Buffer.compare(before, after) === 0) return { outcome: 'right', ...sizes };
    if (!journal) return { outcome: 'would-tag', ...sizes };
    const times = { atimeNs: state.atimeNs, mtimeNs: state.mtimeNs };
    const kept = touch ? undefined : times;
    await replaceFile(path, state, after, kept, async () => {
      const [sha256, sha256After] = await Promise.all([sha256Of(before), sha256Of(after)]);
      await journal.append({
        file: path,
        before: { bytes: before.length, sha256, ...times },
        after: { bytes: after.length, sha256: sha256After },
        ...undoOf(after, before),
      });
      signal.throwIfAborted();
    });
    return { outcome: 'tagged', ...sizes };
  } finally {
    if (reserved > 0) budget.giveBack(reserved);
  }
}

/** People's pictures depend on it, so it is tried at once. */
function undoOf(after: Uint8Array, before: Uint8Array): ByteDelta {
  const delta = makeDelta(after, before);
  const again = applyDelta(after, delta);
  if (!again || Buffer.compare(again, before) !== 0) throw new Error('an undo does not give the old file');
  return delta;
}
