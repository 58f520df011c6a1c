import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import type { Scores } from '../../nodes/pipeline/measure-scores.ts';
import { hashText } from '../local/hash-text.ts';
import { readFileChecked } from '../local/read-file.ts';
import { writeFileAtomic } from '../local/write-file.ts';
import type { StepScores } from './step-scores.ts';

/** What steps found, kept between runs by the step's key: models of a branch are not made again only to be measured. */
export type KeptScores = {
  find(key: string): Promise<StepScores | undefined>;
  keep(key: string, found: StepScores): Promise<void>;
};

const MAX_BYTES = 16 * 1024 * 1024;

/** @param folder undefined: nothing is kept. */
export function openKeptScores(folder: string | undefined): KeptScores {
  const pathOf = (key: string): string => join(folder ?? '', `${key}.json`);
  return {
    async find(key) {
      if (folder === undefined) return undefined;
      try {
        const text = new TextDecoder().decode(await readFileChecked(pathOf(key), MAX_BYTES));
        const value: unknown = JSON.parse(text);
        const isWhole = isRecord(value) && value['checksum'] === hashText(JSON.stringify(value['found']));
        return isWhole ? readScores(value['found']) : undefined;
      } catch (error) {
        // Missing, unreadable or damaged: it is measured again.
        if (isLineageError(error) || error instanceof SyntaxError) return undefined;
        throw error;
      }
    },
    async keep(key, found) {
      if (folder === undefined) return;
      await mkdir(folder, { recursive: true });
      const text = JSON.stringify({ checksum: hashText(JSON.stringify(found)), found });
      await writeFileAtomic(pathOf(key), new TextEncoder().encode(text), { replace: true });
    },
  };
}

function readScores(value: unknown): StepScores | undefined {
  if (!isRecord(value) || !isScores(value['scores'])) return undefined;
  const { scores, blocks, notes, table } = value;
  const said = {
    ...(Array.isArray(notes) && { notes: notes.filter((note) => typeof note === 'string') }),
    ...(typeof table === 'string' && { table }),
  };
  if (blocks === undefined) return { scores, ...said };
  if (!isRecord(blocks)) return undefined;
  const read = Object.entries(blocks).flatMap(([block, scores]): [string, Scores][] =>
    isScores(scores) ? [[block, scores]] : [],
  );
  return { scores, blocks: Object.fromEntries(read), ...said };
}

function isScores(value: unknown): value is Scores {
  return (
    isRecord(value) &&
    Object.values(value).every((each) => ['number', 'string', 'boolean'].includes(typeof each))
  );
}
