import type { DetailKey } from './detail-keys.ts';
import { READERS } from './readers/index.ts';
import { type Loss, lossOf, type Reason } from './readers/losses.ts';
import type { Reader, ReaderId, ReaderReport, ReaderView, Sees, ShownFact } from './readers/reader.ts';
import { isRecord, jsonOf } from './readers/text.ts';
import { viewFile } from './readers/view.ts';

/** What was meant to be in the file. */
export type Meant = {
  /** The prompts as evaluated; line ends and outer white space do not count. */
  readonly positive: string;
  readonly negative: string;
  /** The details line, key to value as written (quotes included). */
  readonly fields: ReadonlyMap<string, string>;
  /** Whether the prompt graph was given to the writer. */
  readonly prompt: boolean;
  readonly workflow: boolean;
  /** What the file's budget left out or cut, by the names that losses have; no reader is to blame for these. */
  readonly leftOut?: ReadonlySet<string>;
};

/** One reader's row: what it shows, and what of the meant is missing or different there. */
export type ReceiptRow = {
  readonly reader: ReaderId;
  readonly sees: readonly string[];
  readonly loses: readonly { readonly what: string; readonly why: string }[];
};
export type Receipt = readonly ReceiptRow[];

/** Where each fact stands in the details line. */
const LINE_KEYS = {
  steps: 'Steps',
  sampler: 'Sampler',
  scheduler: 'Schedule type',
  cfg: 'CFG scale',
  seed: 'Seed',
  size: 'Size',
  model: 'Model',
  modelHash: 'Model hash',
  clipSkip: 'Clip skip',
  hashes: 'Hashes',
} as const satisfies Partial<Record<ShownFact, DetailKey>>;
/** What people call each fact. */
const LABELS: Readonly<Record<ShownFact, string>> = {
  positive: 'positive',
  negative: 'negative',
  ...LINE_KEYS,
  prompt: 'prompt graph',
  workflow: 'workflow',
};
const NAMED_KEYS: ReadonlySet<string> = new Set(Object.values(LABELS));
/** Shown values are cut to this many characters. */
const SHOWN_CHARS = 24;

/**
 * Reads a written file back by the rules of each reader and compares with what was meant.
 *
 * @param bytes the complete file; not modified, not retained
 * @throws LineageError of the container for a file that is none
 */
export function makeReceipt(bytes: Uint8Array, meant: Meant): Receipt {
  const view = viewFile(bytes);
  return READERS.map((reader) => rowOf(reader, view, meant));
}

/** One reader's row for a file that is open already. */
export function rowOf(reader: Reader, view: ReaderView, meant: Meant): ReceiptRow {
  const report = reader.read(view);
  const loses = lossesOf(reader, view, meant, report).map(({ what, why }) => ({ what, why }));
  return { reader: reader.id, sees: report.ok ? listSeen(report.sees) : [], loses };
}

/** What of the meant is missing or different for one reader, and whatever else it reports. */
export function lossesOf(
  reader: Reader,
  view: ReaderView,
  meant: Meant,
  report: ReaderReport = reader.read(view),
): readonly Loss[] {
  const differences = report.ok ? differencesOf(reader, report, view, meant) : [];
  const said = new Set(differences.map((loss) => loss.what));
  return [...differences, ...report.problems.filter((problem) => !said.has(problem.what))];
}

function differencesOf(reader: Reader, report: ReaderReport, view: ReaderView, meant: Meant): Loss[] {
  const losses: Loss[] = [];
  const context = { prompts: `${meant.positive}\n${meant.negative}`, view };
  for (const fact of reader.holds) {
    const text = meantText(meant, fact);
    if (text === undefined || (report.sees.fromGraph && fact !== 'prompt' && fact !== 'workflow')) continue;
    if (showsAsMeant(fact, text, report.sees)) continue;
    const known = report.problems.find((problem) => problem.what === LABELS[fact]);
    const habit = reader.habits.find((one) => one.about.includes(fact) && one.when(text, context));
    if (meant.leftOut?.has(LABELS[fact])) losses.push(lossOf(LABELS[fact], { id: 'left-out' }));
    else if (known) losses.push(known);
    else if (showsGuard(fact, text, report.sees)) losses.push(lossOf(LABELS[fact], { id: 'guard-shown' }));
    else losses.push(lossOf(LABELS[fact], habit ? { id: habit.loss } : shownInstead(fact, report.sees)));
  }
  const missing = reader.otherKeys ? missingKeys(meant.fields, report.sees) : [];
  const [absent, hidden] = [true, false].map((wanted) =>
    missing.filter((key) => (meant.leftOut?.has(key) ?? false) === wanted),
  );
  if (absent?.length) losses.push(lossOf(shortList(absent), { id: 'left-out' }));
  if (hidden?.length && reader.otherKeys)
    losses.push(lossOf(shortList(hidden), { id: reader.otherKeys, keys: hidden }));
  return losses;
}

/** The fact as text, or undefined where none was meant. */
function meantText(meant: Meant, fact: ShownFact): string | undefined {
  if (fact === 'positive' || fact === 'negative') return meant[fact].replaceAll('\r\n', '\n').trim();
  if (fact === 'prompt' || fact === 'workflow') return meant[fact] ? fact : undefined;
  return meant.fields.get(LABELS[fact]);
}

/** Numbers are the same when they are equal, but a seed only digit by digit. */
function showsAsMeant(fact: ShownFact, meant: string, sees: Sees): boolean {
  if (fact === 'prompt' || fact === 'workflow') return sees[fact] === true;
  if (fact === 'hashes') return holdsAll(meant, sees.hashes ?? {});
  const seen = sees[fact];
  if (seen === undefined) return false;
  if (seen === meant) return true;
  return (fact === 'steps' || fact === 'cfg' || fact === 'clipSkip') && Number(seen) === Number(meant);
}

function holdsAll(json: string, seen: Readonly<Record<string, string>>): boolean {
  const meant = jsonOf(json);
  return isRecord(meant) && Object.entries(meant).every(([name, hash]) => seen[name] === hash);
}

/** A prompt line that looks like a settings line is written with a space before it; not every reader takes it off. */
function showsGuard(fact: ShownFact, meant: string, sees: Sees): boolean {
  if (fact !== 'positive' && fact !== 'negative') return false;
  const guarded = meant.replace(/^(?=Steps: |Template: |Negative Template: )/gm, ' ').trim();
  return guarded !== meant && sees[fact] === guarded;
}

function shownInstead(fact: ShownFact, sees: Sees): Reason {
  if (fact === 'prompt' || fact === 'workflow' || fact === 'hashes') return { id: 'not-found' };
  const seen = sees[fact];
  return seen === undefined ? { id: 'not-found' } : { id: 'shown-instead', shown: cut(seen) };
}

function missingKeys(fields: ReadonlyMap<string, string>, sees: Sees): string[] {
  const values = sees.values ?? {};
  return [...fields.keys()].filter((key) => !NAMED_KEYS.has(key) && !Object.hasOwn(values, key));
}

function shortList(names: readonly string[]): string {
  return names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}

/** What a reader shows, a few words each. */
function listSeen(sees: Sees): string[] {
  const list: string[] = [];
  for (const fact of ['prompt', 'workflow'] as const) if (sees[fact]) list.push(LABELS[fact]);
  for (const fact of ['positive', 'negative'] as const) if (sees[fact]) list.push(LABELS[fact]);
  for (const fact of [
    'steps',
    'sampler',
    'scheduler',
    'cfg',
    'seed',
    'size',
    'model',
    'modelHash',
    'clipSkip',
  ] as const) {
    const seen = sees[fact];
    if (seen !== undefined) list.push(`${LABELS[fact]} ${cut(seen)}`);
  }
  if (sees.hashes) list.push(`${Object.keys(sees.hashes).length} hashes`);
  if (sees.resources && sees.resources.length > 0) list.push(`${sees.resources.length} resources`);
  return list;
}

function cut(text: string): string {
  const chars = Array.from(text.slice(0, SHOWN_CHARS * 2 + 2).replace(/\s+/g, ' '));
  return chars.length <= SHOWN_CHARS ? chars.join('') : `${chars.slice(0, SHOWN_CHARS - 1).join('')}…`;
}
