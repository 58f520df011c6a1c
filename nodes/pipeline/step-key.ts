import { compareNames } from '../formats/safetensors/name-order.ts';

/** What a step's result depends on, and nothing else. */
export type KeyedStep = {
  /**
   * By place (`models[0]`): the hash of a file's data section with what stands beside it and changes its numbers, or
   * the key of the step that makes it.
   */
  readonly inputs: ReadonlyMap<
    string,
    { readonly data: string; readonly config?: unknown } | { readonly step: string }
  >;
  /** Type of the step, and the id of its method where it has one. */
  readonly operation: string;
  /** Everything else that the manifest says of the arithmetic; not names, descriptions, paths or devices. */
  readonly parameters: unknown;
  readonly methodVersion: number;
  readonly engineVersion: number;
};

/** What of a step says nothing of its result. */
const IDLE = new Set([
  'id',
  'name',
  'description',
  'dependencies',
  'device',
  'path',
  'step',
  'architecture',
  'precision_detected',
  '$schema',
]);

/**
 * The address of a step's result: the same for the same inputs and arithmetic, whatever they are called.
 *
 * @param hash of a text, for example SHA-256 in hex.
 */
export function keyOfStep(
  { inputs, operation, parameters, methodVersion, engineVersion }: KeyedStep,
  hash: (text: string) => string,
): string {
  return hash(
    toCanonicalJson({
      inputs: Object.fromEntries(inputs),
      operation,
      parameters,
      methodVersion,
      engineVersion,
    }),
  );
}

/** A step without what does not matter to its bytes: the `parameters` of its key. */
export function parametersOf(step: unknown): unknown {
  if (Array.isArray(step)) return step.map(parametersOf);
  if (typeof step !== 'object' || step === null) return step;
  return Object.fromEntries(
    Object.entries(step).flatMap(([key, value]) => {
      if (IDLE.has(key) || (key === 'output' && typeof value === 'string')) return [];
      // The names of parameters are the method's own words.
      const inner = key === 'params' || key === 'blocks' ? value : parametersOf(value);
      return key === 'output' && toCanonicalJson(inner) === '{}' ? [] : [[key, inner]];
    }),
  );
}

/** JSON with sorted keys and no spaces: one text for one value. Keys that are undefined are left out. */
export function toCanonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toCanonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([a], [b]) => compareNames(a, b));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${toCanonicalJson(each)}`).join(',')}}`;
}
