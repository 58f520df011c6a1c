import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { inOrder } from '../../nodes/kit/in-order.ts';
import { IMAGE_FORMATS, type ImageFormat } from '../../nodes/kit/values.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { homeFolder } from '../local/home.ts';
import { refuseTaken } from '../local/write-file.ts';
import { type Found, findPictures, findPlaces, foldersOf } from '../tagging/find-pictures.ts';
import { createJournal } from '../tagging/journal.ts';
import type { CommandContext } from './command-context.ts';
import { besideProgress, showFiles } from './file-progress.ts';
import { readNodeDefinitions } from './object-info.ts';
import { createFileTagger, describeReport } from './tag-report.ts';
import { createTally, tellEnd } from './tag-tally.ts';
import { noteWarnings } from './terminal.ts';
import { withTracer } from './trace-graph.ts';
import { integerBetween, type TraceOptions } from './trace-options.ts';

/** How pictures are tagged where they lie. */
export type InPlaceOptions = {
  readonly recursive?: boolean;
  readonly only?: readonly ImageFormat[];
  readonly untagged?: boolean;
  readonly dryRun?: boolean;
  readonly touch?: boolean;
  readonly jobs?: number;
  readonly jsonl?: boolean;
  readonly journal?: string;
};

type Options = TraceOptions &
  InPlaceOptions & { readonly extra: ReadonlyMap<string, string>; readonly maxExifKb: number };

/** More at a time wait for the same disk. */
const JOBS_MAX = 64;
const JOBS = Math.max(2, Math.min(8, availableParallelism()));

/** The names that commander gives to the options below. */
export const IN_PLACE_ONLY = ['recursive', 'only', 'untagged', 'dryRun', 'touch', 'jobs', 'jsonl', 'journal'];

/** The options of tagging without --out. */
export function addInPlaceOptions(command: Command): Command {
  return command
    .optionsGroup('Pictures where they lie (without --out):')
    .option('--recursive', 'folders within folders too; links are not followed')
    .option(
      '--only <formats>',
      `of a folder only these, such as png,webp (${IMAGE_FORMATS.join(', ')})`,
      formatsOf,
    )
    .option('--untagged', 'leave pictures alone that carry a parameters text already')
    .option('--dry-run', 'change nothing, and say what would be done to each file')
    .option(
      '--touch',
      'let the time of the last change be now (default: files keep it, so that galleries keep their order)',
    )
    .option('--jobs <n>', `how many files at a time (default: ${JOBS} here)`, integerBetween(1, JOBS_MAX))
    .option('--jsonl', 'print one JSON document a file (`lineage schema tag-report`)')
    .option('--journal <file>', 'where `lineage undo` finds what it needs (default: in LINEAGE_HOME/undo)');
}

/**
 * Tags pictures where they lie: what is new is spliced in, pixels stay as they are, and each file is replaced in one step
 * once the journal holds how to undo it. What cannot be done is told, file by file, and stops nothing.
 *
 * @throws LineageError where nothing can be begun, or the journal cannot be written
 */
export async function tagInPlace(
  named: readonly string[],
  options: Options,
  context: CommandContext,
): Promise<void> {
  const { recursive = false, dryRun = false, jobs = JOBS, only: formats = IMAGE_FORMATS } = options;
  const journalPath = options.journal ?? newJournalPath();
  await refuseTaken(journalPath);
  // What is wrong with it is wrong for all pictures.
  if (options.objectInfo !== undefined) await readNodeDefinitions(options.objectInfo);
  const places = await findPlaces(named, recursive);
  const look = { recursive, formats, tidy: !dryRun };
  const progress = showFiles();
  const tally = createTally();
  const journal = createJournal(resolve(journalPath), { folders: foldersOf(places) });
  const terminal = besideProgress(progress, context.terminal);
  const { print, note } = terminal;
  try {
    // Counting reads names only, and the bar needs it.
    const total = await countPictures(findPictures(places, { ...look, tidy: false }));
    const ledgerLog = createWarningLog();
    await withTracer(options, ledgerLog.warn, { ...context, terminal }, async (trace) => {
      const file = createFileTagger(options, trace, dryRun ? undefined : journal, context.signal);
      let done = 0;
      for await (const report of inOrder(findPictures(places, look), jobs, context.signal, file)) {
        tally.count(report);
        if (!report) continue;
        progress.show(++done, total, report.file);
        if (options.jsonl) print(JSON.stringify(report));
        else if (report.outcome === 'would-tag') print(describeReport(report));
        else if (report.error) note(describeReport(report));
      }
    });
    noteWarnings(ledgerLog.list, terminal);
    if (total === 0) note('no pictures here');
  } finally {
    progress.stop();
    await journal.close();
    tellEnd(tally, journal.path(), options, context);
  }
}

/** Beside the ledger of hashes; named by the time, so that the latest is found. */
function newJournalPath(): string {
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  return join(homeFolder(), 'undo', `${time}-${process.pid}.jsonl`);
}

async function countPictures(found: AsyncIterable<Found>): Promise<number> {
  let pictures = 0;
  for await (const { kind } of found) if (kind !== 'other') pictures++;
  return pictures;
}

/** @throws InvalidArgumentError, which commander turns into a usage error */
function formatsOf(text: string): readonly ImageFormat[] {
  return text.split(',').map((word) => {
    const wanted = word
      .trim()
      .toLowerCase()
      .replace(/^\.?jpg$/, 'jpeg')
      .replace(/^\./, '');
    const format = IMAGE_FORMATS.find((each) => each === wanted);
    if (format) return format;
    throw new InvalidArgumentError(`expected ${IMAGE_FORMATS.join(', ')}, got ${word.trim()}`);
  });
}
