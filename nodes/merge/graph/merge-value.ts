import { LineageError } from '../../kit/errors.ts';
import { ExactNumber } from '../../kit/exact-json.ts';
import { isRecord } from '../../kit/is-record.ts';

/** The socket type of merges: plain data, so it goes through any host. */
export const LINEAGE_MERGE = 'LINEAGE_MERGE';

/** A step or a reference in the words of a manifest; whoever runs it checks it. */
export type Words = Readonly<Record<string, unknown>>;
export type StepWords = Words & { readonly id: string };

/** A part of a manifest: steps, each before those that use it, and what of them is meant. */
export type MergeValue = {
  readonly steps: readonly StepWords[];
  /** A reference to a model, `{path}` or `{step}`; none where the steps only look at models. */
  readonly result?: Words;
};

/** Longer chains are no graph that people wire. */
const MAX_STEPS = 2_000;
const MAX_DEPTH = 64;

/**
 * What arrives on a socket for merges.
 * @throws LineageError `merge/graph`
 */
export function parseMergeValue(value: unknown): MergeValue {
  const data = toPlain(value, 0);
  if (!isRecord(data) || !Array.isArray(data['steps']) || data['steps'].length > MAX_STEPS) throw noMerge();
  const steps = data['steps'].map((step: unknown) => {
    if (!isRecord(step) || typeof step['id'] !== 'string') throw noMerge();
    return { ...step, id: step['id'] };
  });
  const { result } = data;
  if (result !== undefined && !isRecord(result)) throw noMerge();
  return { steps, ...(result && { result }) };
}

function noMerge(): LineageError {
  return new LineageError('merge/graph', 'expected a merge of a Lineage node, got something else');
}

/** Numbers as numbers, also those whose spelling a host kept. */
function toPlain(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) throw noMerge();
  if (value instanceof ExactNumber) return value.value;
  if (Array.isArray(value)) return value.map((each) => toPlain(each, depth + 1));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toPlain(each, depth + 1)]));
}

/**
 * The steps of several merges, each once.
 * @throws LineageError `merge/graph` where two steps share an id
 */
export function joinSteps(lists: readonly (readonly StepWords[])[]): readonly StepWords[] {
  const steps = new Map<string, { readonly step: StepWords; readonly text: string }>();
  for (const step of lists.flat()) {
    const text = JSON.stringify(step);
    const known = steps.get(step.id);
    if (known && known.text !== text) {
      const message = `expected an id of its own for every step, got two different steps named "${step.id}"`;
      throw new LineageError('merge/graph', message, { input: 'step' });
    }
    if (!known) steps.set(step.id, { step, text });
  }
  return [...steps.values()].map(({ step }) => step);
}
