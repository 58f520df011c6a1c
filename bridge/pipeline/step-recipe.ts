import type { FlatStep } from '../../nodes/pipeline/expand.ts';
import type { WorkStep } from '../../nodes/pipeline/manifest.ts';
import { outputOf } from '../../nodes/pipeline/step-output.ts';

/** Where an input of a step comes from, once every question is answered. */
type Leaf = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'step'; readonly id: string };

/** A step as it ran: its numbers are set, its inputs known. */
export type ResolvedStep = {
  readonly flat: FlatStep;
  readonly step: WorkStep;
  /** By the place of the reference: `models[0]`, `vae`. */
  readonly inputs: ReadonlyMap<string, Leaf>;
};

/** The steps that make a result, as a manifest of their own; `source:N` for a path names a source. */
export type StepRecipe = {
  readonly manifest: { readonly pipeline: { readonly steps: readonly unknown[] } };
  /** Id of the step that makes it. */
  readonly step: string;
  /** Paths of the sources as the manifest spells them, by their number. */
  readonly sources: readonly string[];
};

/** The name that a result has in its own recipe; whoever makes it again gives it another one. */
export const RESULT_PATH = 'result.safetensors';

/** What says nothing of the bytes that a step makes. */
const IDLE = new Set([
  'id',
  'name',
  'description',
  'dependencies',
  'device',
  'output',
  'path',
  'step',
  'architecture',
  'precision_detected',
]);
/** What a manifest without it means; `lineage:merge/1` promises that it stays so. */
const DEFAULTS: Readonly<Record<string, unknown>> = { missing: 'error', not_finite: 'keep', prune: false };
const LISTS = new Set(['models', 'loras', 'embeddings']);
const SINGLES = new Set(['model', 'base', 'vae', 'against']);

/**
 * Reduces a pipeline to the steps that made one result. Loops are laid out, branches decided; nothing in it says where
 * the files were.
 *
 * @param sameFile gives one text for one file, whatever paths it has.
 * @param isRounded whether a result in between was written although its run was fused: a report wanted it. The recipe
 *   then has a report too.
 */
export function stepRecipeOf(
  id: string,
  stepOf: (id: string) => ResolvedStep,
  sameFile: (path: string) => string,
  isRounded: (id: string) => boolean,
): StepRecipe {
  const sources = new Map<string, { readonly path: string; readonly place: string }>();
  const names = new Map<string, string>();
  const steps: unknown[] = [];

  function referTo(leaf: Leaf): Readonly<Record<string, string>> {
    if (leaf.kind === 'step') return { step: add(leaf.id) };
    const key = sameFile(leaf.path);
    const known = sources.get(key) ?? { path: leaf.path, place: `source:${sources.size}` };
    sources.set(key, known);
    return { path: known.place };
  }

  function add(each: string): string {
    const known = names.get(each);
    if (known !== undefined) return known;
    const { step, inputs } = stepOf(each);
    const reference = (where: string): Readonly<Record<string, string>> => {
      const leaf = inputs.get(where);
      if (!leaf) throw new Error(`step ${each} has no input ${where}`);
      return referTo(leaf);
    };
    const settings = settingsOf(step, reference);
    const name = plainId(each, new Set(names.values()));
    names.set(each, name);
    const path = each === id ? RESULT_PATH : `temp/${name}.safetensors`;
    const { precision, sharding } = outputOf(step);
    steps.push({
      id: name,
      ...settings,
      output: { path, ...(precision && { precision }), ...(sharding && { sharding }) },
    });
    if (each !== id && isRounded(each)) {
      const report = plainId(`${name}-report`, new Set(names.values()));
      names.set(`report on ${each}`, report);
      steps.push({ id: report, type: 'validate', model: { step: name }, checks: ['structure'] });
    }
    return name;
  }

  const step = add(id);
  return { manifest: { pipeline: { steps } }, step, sources: [...sources.values()].map(({ path }) => path) };
}

/** Everything that matters of a step, its references replaced. */
function settingsOf(
  step: WorkStep,
  reference: (where: string) => Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const settings: [string, unknown][] = [];
  for (const [key, value] of Object.entries(step)) {
    if (value === undefined || IDLE.has(key) || DEFAULTS[key] === value) continue;
    if (LISTS.has(key) && Array.isArray(value))
      settings.push([key, value.map((each, at) => ({ ...reference(`${key}[${at}]`), ...numbersOf(each) }))]);
    else settings.push([key, SINGLES.has(key) ? reference(key) : value]);
  }
  return Object.fromEntries(settings);
}

/** The weight or strength of a reference. */
function numbersOf(reference: unknown): Readonly<Record<string, unknown>> {
  const entries = typeof reference === 'object' && reference !== null ? Object.entries(reference) : [];
  return Object.fromEntries(entries.filter(([key, value]) => !IDLE.has(key) && value !== undefined));
}

/** `refine[2].merge` as an id that a manifest may have. */
function plainId(id: string, taken: ReadonlySet<string>): string {
  const plain = id
    .replace(/\[(\d+)\]/g, '-$1')
    .replace(/[^A-Za-z0-9_.-]/g, '_')
    .slice(-90);
  for (let number = 1; ; number++) {
    const name = number === 1 ? plain : `${plain}-${number}`;
    if (!taken.has(name)) return name;
  }
}
