import { isRecord } from '../kit/is-record.ts';
import { MAKERS } from './aim-manifest.ts';

/** What is said of a result beside its manifest. */
export type NamedOutput = {
  readonly path?: string | undefined;
  readonly precision?: string | undefined;
};

/**
 * A manifest with the output of its result named: all else stays as it is written, the outputs of other steps too.
 *
 * @param manifest as a parser gave it; of an unknown form it comes back as it is.
 * @param result id of the step; undefined for a single merge.
 * @param output what it says of path and precision goes before what is written.
 */
export function nameOutput(manifest: unknown, result: string | undefined, output: NamedOutput): unknown {
  const said = Object.fromEntries(Object.entries(output).filter(([, value]) => value !== undefined));
  if (!isRecord(manifest) || Object.keys(said).length === 0) return manifest;
  const { pipeline } = manifest;
  if (!isRecord(pipeline)) return withOutput(manifest, said);
  const steps: readonly unknown[] = Array.isArray(pipeline['steps']) ? pipeline['steps'] : [];
  const id = result ?? lastMaker(steps);
  if (id === undefined) return manifest;
  const isMade = steps.some((step) => isMakerOf(step, id));
  const named = isMade
    ? steps.map((step) => (isRecord(step) && isMakerOf(step, id) ? withOutput(step, said) : step))
    : // What a loop or a condition ends with is a file of its own.
      [...steps, { id: `${id}_output`.slice(-100), type: 'convert', model: { step: id }, output: said }];
  return { ...manifest, pipeline: { ...pipeline, steps: named } };
}

function isMakerOf(step: unknown, id: string): boolean {
  return isRecord(step) && step['id'] === id && MAKERS.some((type) => type === step['type']);
}

function lastMaker(steps: readonly unknown[]): string | undefined {
  const last = steps.findLast((step) => isRecord(step) && MAKERS.some((type) => type === step['type']));
  return isRecord(last) && typeof last['id'] === 'string' ? last['id'] : undefined;
}

function withOutput(
  step: Readonly<Record<string, unknown>>,
  said: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { output } = step;
  const before = isRecord(output) ? output : typeof output === 'string' ? { path: output } : {};
  const { path, ...more } = { ...before, ...said };
  return {
    ...step,
    output: Object.keys(more).length === 0 ? path : { ...(path !== undefined && { path }), ...more },
  };
}
