import { LineageError } from '../kit/errors.ts';
import { isRecord } from '../kit/is-record.ts';
import { type Manifest, STEP_TYPES, type Step } from './manifest.ts';
import { branchesOf, referencesOf } from './references.ts';
import { outputOf } from './step-output.ts';

/** What of a manifest is wanted, and where it goes. */
export type Aim = {
  /** Id of the step whose model is wanted; by default the last of the outermost that makes one. */
  readonly result?: string;
  /** The path of the file that is made. */
  readonly path: string;
  /** Of its floats; by default as the manifest says. */
  readonly precision?: string;
};

/** Steps that make a file with all that a checkpoint has. */
export const MAKERS: readonly string[] = ['merge', 'block_merge', 'lora_merge', 'convert'];
/** Steps whose model is that of a step inside. */
const FRAMES: readonly string[] = ['if', 'loop', 'optimize'];

/** The id of the step whose model a manifest is for. @throws LineageError `merge/graph` */
export function resultOf({ steps }: Manifest): string {
  const last = steps.findLast(({ type }) => MAKERS.includes(type) || FRAMES.includes(type));
  if (last) return last.id;
  const got = steps.map(({ type }) => type).join(', ');
  throw new LineageError('merge/graph', `manifest: expected a step that makes a checkpoint, got ${got}`);
}

/** The path that a manifest itself gives its result, if it does. */
export function resultPath(manifest: Manifest): string | undefined {
  const step = manifest.steps.find(({ id }) => id === resultOf(manifest));
  return step && outputOf(step).path;
}

/**
 * A manifest with one file to keep: the paths of all other outputs are taken away, so that these are temporary.
 *
 * @returns a manifest as a parser gives it
 * @throws LineageError `merge/graph` where the step makes no checkpoint, or others make files that nothing uses
 */
export function aimManifest(
  manifest: Manifest,
  { result = resultOf(manifest), path, precision }: Aim,
): unknown {
  const steps = manifest.steps.map(withoutPath);
  const wanted = manifest.steps.find(({ id }) => id === result);
  const other = unusedOutput(manifest.steps, result);
  if (other) {
    const message = `manifest: expected one file that comes out, got also ${JSON.stringify(outputOf(other).path)} of the step "${other.id}"`;
    throw new LineageError('merge/graph', message, { input: 'manifest' });
  }
  const output = { path, ...(precision !== undefined && { precision }) };
  if (wanted && MAKERS.includes(wanted.type))
    return wrap(
      manifest,
      steps.map((step) => (isRecord(step) && step['id'] === result ? withOutput(step, output) : step)),
    );
  if (wanted && !FRAMES.includes(wanted.type))
    throw new LineageError(
      'merge/graph',
      `step "${result}": expected one that makes a checkpoint, got a step of type ${wanted.type}`,
    );
  return wrap(manifest, [
    ...steps,
    { id: `${result}_output`.slice(-100), type: 'convert', model: { step: result }, output },
  ]);
}

function wrap({ cleanup, name, description }: Manifest, steps: readonly unknown[]): unknown {
  return {
    pipeline: {
      ...(name !== undefined && { name }),
      ...(description !== undefined && { description }),
      steps,
      cleanup: { ...cleanup, keep_intermediates: false, temp_files: true },
    },
  };
}

function withOutput(
  step: Readonly<Record<string, unknown>>,
  output: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const before = isRecord(step['output']) ? step['output'] : {};
  const { sharding, ...kept } = before;
  return { ...step, output: { ...kept, ...output } };
}

/** A step, and those inside it, without the paths of their outputs. */
function withoutPath(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPath);
  if (!isRecord(value)) return value;
  const inner = Object.entries(value).map(([key, each]): [string, unknown] => [key, withoutPath(each)]);
  const copy = Object.fromEntries(inner);
  const { output, ...rest } = copy;
  if (output === undefined || !STEP_TYPES.some((type) => type === value['type'])) return copy;
  if (!isRecord(output)) return rest;
  const { path, ...kept } = output;
  return Object.keys(kept).length > 0 ? { ...rest, output: kept } : rest;
}

/** Of the outermost; inside others, the last step's model is that of the frame. */
function unusedOutput(steps: readonly Step[], result: string): Step | undefined {
  const used = new Set(
    allSteps(steps).flatMap((step) => referencesOf(step).flatMap(({ ref }) => ref.step ?? [])),
  );
  return steps.find((step) => step.id !== result && !used.has(step.id) && outputOf(step).path !== undefined);
}

function allSteps(steps: readonly Step[]): readonly Step[] {
  return steps.flatMap((step) => [step, ...branchesOf(step).flatMap(([, inner]) => allSteps(inner))]);
}
