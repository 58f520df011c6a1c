import { visibleText } from '../../nodes/kit/visible-text.ts';
import type { TagReport } from '../../nodes/metadata/file-reports.ts';
import type { CommandContext } from './command-context.ts';

/** What became of many files, in numbers. */
export type Tally = {
  /** @param report undefined for what is no picture by its name */
  count(report: TagReport | undefined): void;
  readonly outcomes: Readonly<Record<TagReport['outcome'] | 'other', number>>;
  /** Files by the code of what was warned of. */
  readonly warned: ReadonlyMap<string, number>;
};

export function createTally(): Tally {
  const outcomes = { tagged: 0, 'would-tag': 0, right: 0, 'left-alone': 0, failed: 0, other: 0 };
  const warned = new Map<string, number>();
  return {
    outcomes,
    warned,
    count(report) {
      outcomes[report?.outcome ?? 'other']++;
      for (const code of new Set(report?.warnings.map((warning) => warning.code)))
        warned.set(code, (warned.get(code) ?? 0) + 1);
    },
  };
}

const WORDS: readonly (readonly [outcome: keyof Tally['outcomes'], words: string])[] = [
  ['tagged', 'tagged'],
  ['would-tag', 'would be tagged'],
  ['right', 'right already'],
  ['left-alone', 'left alone'],
  ['failed', 'not done'],
  ['other', 'other entries passed over'],
];

/** The end of a run: numbers, and how to take it back. Where files could not be done, the exit status says so. */
export function tellEnd(
  { outcomes, warned }: Tally,
  journal: string | undefined,
  { jsonl = false }: { readonly jsonl?: boolean },
  { terminal, noteFinding }: CommandContext,
): void {
  const tell = jsonl ? terminal.note : terminal.print;
  const counts = WORDS.flatMap(([outcome, words]) =>
    outcomes[outcome] === 0 ? [] : [`${outcomes[outcome]} ${words}`],
  );
  if (counts.length > 0) tell(counts.join(', '));
  // Of ten thousand files, each with its lines, nobody reads any.
  for (const [code, files] of warned)
    terminal.note(`warning [${code}] in ${files} of them; --jsonl says more`);
  if (journal !== undefined) tell(`to undo: lineage undo ${quoted(journal)}`);
  if (outcomes.failed > 0) noteFinding();
}

/** For a shell, where it needs that: a name may hold what a shell would run. */
function quoted(path: string): string {
  const shown = visibleText(path);
  const isWindows = process.platform === 'win32';
  if ((isWindows ? /^[\w@%+=:,./\\-]+$/ : /^[\w@%+=:,./-]+$/).test(shown)) return shown;
  return isWindows ? `"${shown}"` : `'${shown.replaceAll("'", "'\\''")}'`;
}
