import { parseWithSource } from '../shared/parse-with-source.ts';

/** What to load of a picture's graphs, and its numbers that could not be kept. */
export type LoadableGraph = {
  /** The editor's format, or what was queued where the picture has no more. */
  readonly kind: 'workflow' | 'prompt';
  readonly graph: unknown;
  /** Whole numbers that no double holds, as they are spelled, each once. */
  readonly rounded: readonly string[];
};

/**
 * Reads the graphs that the server found in a picture. The front end loads objects, whose numbers are doubles: a 64-bit
 * seed is rounded on the way, which only this parser can see.
 *
 * @param text `{workflow?, prompt?}`
 * @throws SyntaxError
 */
export function parseGraphs(text: string): LoadableGraph {
  const spellings = new Map<number, Set<string>>();
  const graphs = parseWithSource(text, (value, source) => {
    if (isRounded(value, source)) {
      const known = spellings.get(value) ?? new Set();
      spellings.set(value, known.add(source ?? String(value)));
    }
    return value;
  }) as { readonly workflow?: unknown; readonly prompt?: unknown };
  const kind = graphs.workflow === undefined ? 'prompt' : 'workflow';
  const graph = graphs[kind];
  const loaded = numbersIn(graph);
  const rounded = [...spellings].flatMap(([value, texts]) => (loaded.has(value) ? [...texts] : []));
  return { kind, graph, rounded };
}

/** A browser that does not tell the spelling leaves every whole number beyond 2^53 in doubt. */
function isRounded(value: number, source: string | undefined): boolean {
  if (Number.isSafeInteger(value)) return false;
  if (source === undefined) return Number.isInteger(value);
  if (!/^-?\d+$/.test(source)) return false;
  return !Number.isFinite(value) || BigInt(value).toString() !== source;
}

/** The other graph of the picture is not loaded, and its numbers are nobody's loss. */
function numbersIn(graph: unknown): ReadonlySet<number> {
  const numbers = new Set<number>();
  // A set may grow while it is walked.
  const values = new Set([graph]);
  for (const value of values) {
    if (typeof value === 'number') numbers.add(value);
    else if (typeof value === 'object' && value !== null)
      for (const each of Object.values(value)) values.add(each);
  }
  return numbers;
}
