import { ExactNumber, type Json } from '../../kit/exact-json.ts';
import type { PromptGraph } from '../graph.ts';
import { type Parameters, parseInfotext } from '../infotext.ts';
import { fileStem } from '../plain-text.ts';
import { type ChangedInput, diffGraphs, type GraphDiff, isSameGraph } from './diff-graphs.ts';
import { diffWords, isSameWords, type WordDiff } from './diff-words.ts';

/** What is known of a picture, or of a graph alone. */
export type Comparable = {
  /** Of a picture: its format and size, as people read them. */
  readonly picture?: { readonly format: string; readonly size: string };
  /** The infotext. */
  readonly parameters?: string;
  readonly graph?: PromptGraph;
};

/** A field that differs; absent on the side that lacks it. */
type FieldChange = {
  readonly field: string;
  readonly before?: string;
  readonly after?: string;
  /** Inputs of the graph that changed likewise: where the difference comes from. */
  readonly at: readonly string[];
};

/** A prompt that differs, word by word. */
type PromptChange = WordDiff & {
  readonly side: 'positive' | 'negative';
  readonly at: readonly string[];
};

/** Why two pictures differ. */
export type PictureDiff = {
  readonly same: boolean;
  readonly fields: readonly FieldChange[];
  readonly prompts: readonly PromptChange[];
  /** Absent where one of the two has no graph. */
  readonly graph?: GraphDiff;
  /** The changes of the graph that no field and no prompt tells of already. */
  readonly unexplained: readonly ChangedInput[];
};

/** Compares the generation data of two pictures or graphs. What one of them lacks as a whole is one field. */
export function diffPictures(a: Comparable, b: Comparable): PictureDiff {
  const graph = a.graph && b.graph ? diffGraphs(a.graph, b.graph) : undefined;
  const [textA, textB] = [a.parameters, b.parameters].map((text) =>
    text === undefined ? undefined : parseInfotext(text),
  );
  const told = new Set<ChangedInput>();
  const placesOf = (isSame: (change: ChangedInput) => boolean): string[] =>
    (graph?.inputs ?? []).filter(isSame).map((change) => {
      told.add(change);
      return `${change.node.id} ${change.node.classType}.${change.input}`;
    });

  const changes = [
    ...compare('format', a.picture?.format, b.picture?.format, a.picture && b.picture),
    ...(textA && textB
      ? []
      : compare('picture size', a.picture?.size, b.picture?.size, a.picture && b.picture)),
    ...compare('generation text', present(a.parameters), present(b.parameters), a.picture && b.picture),
    ...compare('prompt graph', present(a.graph), present(b.graph), true),
    ...(textA && textB ? compareDetails(textA, textB) : []),
  ];
  const fields = changes.map((change) => ({
    ...change,
    at: placesOf(({ before, after }) => says(before, change.before) && says(after, change.after)),
  }));
  const prompts = (['positive', 'negative'] as const).flatMap((side): PromptChange[] => {
    const [before, after] = [textA?.[side] ?? '', textB?.[side] ?? ''];
    const words = diffWords(before, after);
    if (!textA || !textB || isSameWords(words)) return [];
    const at = placesOf(
      (change) =>
        typeof change.before === 'string' &&
        typeof change.after === 'string' &&
        change.before.trim() === before.trim() &&
        change.after.trim() === after.trim(),
    );
    return [{ side, ...words, at }];
  });
  const unexplained = (graph?.inputs ?? []).filter((change) => !told.has(change));
  const same = fields.length + prompts.length === 0 && (graph === undefined || isSameGraph(graph));
  return { same, fields, prompts, ...(graph && { graph }), unexplained };
}

function present(part: unknown): string | undefined {
  return part === undefined ? undefined : 'present';
}

type Change = Omit<FieldChange, 'at'>;

/** @param isAsked undefined where one of the two is no picture and has no such thing */
function compare(
  field: string,
  before: string | undefined,
  after: string | undefined,
  isAsked: unknown,
): Change[] {
  if (before === after || !isAsked) return [];
  return [{ field, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
}

function compareDetails(a: Parameters, b: Parameters): Change[] {
  const [before, after] = [fieldsOf(a), fieldsOf(b)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key) =>
    compare(key, before.get(key), after.get(key), true),
  );
}

function fieldsOf({ details, hashes }: Parameters): ReadonlyMap<string, string> {
  return new Map([
    ...details.map(({ key, value }) => [key, value] as const),
    ...[...hashes].map(([name, hash]) => [`Hashes ${name}`, hash] as const),
  ]);
}

/** Whether an input of the graph says what a field says: as a text, as a number, or as the file that a name stands for. */
function says(value: Json | undefined, field: string | undefined): boolean {
  if (value === undefined || field === undefined) return value === field;
  if (typeof value === 'string') return value === field || fileStem(value) === field;
  if (typeof value !== 'number' && !(value instanceof ExactNumber)) return false;
  return String(value) === field || (/^[\d.]{1,15}$/.test(field) && Number(String(value)) === Number(field));
}
