import { fdatasync } from 'node:fs';
import { promisify } from 'node:util';
import type { UnitDamage } from './damage.ts';
import { appendRows, type JournalRow } from './journal.ts';
import type { OutputFile } from './output-file.ts';
import { type SharedState, UNIT_DONE } from './shared-state.ts';

const flushFile = promisify(fdatasync);

/** Keeps the journal of a file that is being made. */
export type Checkpoints = {
  /**
   * Writes down what has been done since the last time.
   *
   * @param flush the bytes first, so that what the journal says is in the file even after a power cut. Without it
   *   nothing waits for a disk, and what was written outlives the process alone; checksums tell what did not.
   */
  take(flush: boolean): Promise<void>;
};

/**
 * @param state whose units are all open, or done and in the journal.
 * @param damageOf the damage of a unit, undefined until the report is there.
 */
export function createCheckpoints(
  { units, checksums, damaged }: SharedState,
  { file, journal }: OutputFile,
  damageOf: (unit: number) => readonly UnitDamage[] | undefined,
): Checkpoints {
  const known = Uint8Array.from(units, (unit) => (unit === UNIT_DONE ? 1 : 0));

  function collect(): JournalRow[] {
    const rows: JournalRow[] = [];
    for (let unit = 0; unit < units.length; unit++) {
      if (known[unit] === 1 || Atomics.load(units, unit) !== UNIT_DONE) continue;
      const damage = damageOf(unit);
      if (damaged[unit] === 1 && !damage) continue;
      rows.push({ unit, checksum: checksums[unit] ?? 0, damage: damage ?? [] });
    }
    return rows;
  }

  return {
    async take(flush) {
      const rows = collect();
      if (rows.length === 0) return;
      if (flush) await flushFile(file);
      await appendRows(journal, rows, flush);
      for (const { unit } of rows) known[unit] = 1;
    },
  };
}
