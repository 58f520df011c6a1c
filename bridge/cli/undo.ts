import { Command } from 'commander';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { visibleText } from '../../nodes/kit/visible-text.ts';
import type { UndoReport } from '../../nodes/metadata/file-reports.ts';
import { openJournal, type ReadEntry } from '../tagging/read-journal.ts';
import { createTidier } from '../tagging/stale-temporaries.ts';
import { type UndoFileOptions, undoFile } from '../tagging/undo-file.ts';
import type { CommandContext } from './command-context.ts';
import { besideProgress, showFiles } from './file-progress.ts';
import { MAX_IMAGE_BYTES } from './graph-source.ts';

type UndoOptions = { readonly dryRun?: boolean; readonly jsonl?: boolean };

/** `lineage undo JOURNAL`: gives the files of a tag run their bytes and times back. */
export function undoCommand(context: CommandContext): Command {
  return new Command('undo')
    .description(
      'take a tag run back: each file that is as tagging left it becomes what it was, byte for byte',
    )
    .argument('<journal>', 'the file that `lineage tag` named at its end')
    .option('--dry-run', 'change nothing, and say what would be done to each file')
    .option('--jsonl', 'print one JSON document a file (`lineage schema undo-report`)')
    .action((journal: string, options: UndoOptions) => undo(journal, options, context));
}

/** @throws LineageError where the journal cannot be read */
async function undo(path: string, options: UndoOptions, context: CommandContext): Promise<void> {
  const { folders, bytes, entries } = await openJournal(path);
  const progress = showFiles();
  const { print, note } = besideProgress(progress, context.terminal);
  const outcomes = { restored: 0, 'would-restore': 0, untouched: 0, failed: 0 };
  const dryRun = options.dryRun === true;
  const tidy = createTidier();
  const how = { folders, dryRun, maxBytes: MAX_IMAGE_BYTES, tidy, signal: context.signal };
  try {
    for await (const read of entries) {
      context.signal.throwIfAborted();
      if ('damage' in read && read.damage === 'cut off') {
        // The run ended while it wrote this line, and before it touched the file.
        note(`${path}: line ${read.line} was cut off when the run ended; its file was not changed`);
        continue;
      }
      const report = await undoEntry(read, path, how);
      outcomes[report.outcome]++;
      progress.show(read.readBytes, bytes, report.file);
      if (options.jsonl) print(JSON.stringify(report));
      else if (report.error)
        note(visibleText(`${report.file}: [${report.error.code}] ${report.error.message}`));
      else if (report.outcome === 'would-restore') print(visibleText(report.file));
    }
  } finally {
    progress.stop();
    const counts = Object.entries(WORDS).flatMap(([outcome, words]) => {
      const files = Object.entries(outcomes).find(([each]) => each === outcome)?.[1] ?? 0;
      return files === 0 ? [] : [`${files} ${words}`];
    });
    const tell = options.jsonl ? context.terminal.note : context.terminal.print;
    tell(counts.length === 0 ? 'nothing to undo' : counts.join(', '));
    if (outcomes.failed > 0) context.noteFinding();
  }
}

const WORDS: Readonly<Record<UndoReport['outcome'], string>> = {
  restored: 'restored',
  'would-restore': 'would be restored',
  untouched: 'as before already',
  failed: 'not done',
};

async function undoEntry(read: ReadEntry, journal: string, how: UndoFileOptions): Promise<UndoReport> {
  try {
    if ('damage' in read) {
      const message = `expected an entry, got other bytes in line ${read.line}`;
      throw new LineageError('undo/malformed', message, { file: journal, line: read.line });
    }
    return { file: read.entry.file, outcome: await undoFile(read.entry, how) };
  } catch (error) {
    if (!isLineageError(error)) throw error;
    const { code, message, hint } = error;
    const file = 'damage' in read ? journal : read.entry.file;
    return { file, outcome: 'failed', error: { code, message, hint } };
  }
}
