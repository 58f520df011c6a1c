import type { Destination } from './destination.ts';
import { type Finding, fail } from './finding.ts';
import type { Manifest } from './manifest.ts';
import type { PredictedOutput } from './predict-output.ts';

/** Who asks that results in between stay. */
export type KeptResults = {
  readonly cleanup: Manifest['cleanup'];
  /** Whoever runs it wants the temporary files left. */
  readonly keepTemps: boolean;
};

/**
 * Results in between that somebody asks to have, though a fused run never writes them.
 *
 * @param step id of the step that makes it.
 */
export function refuseFusing(
  step: string,
  { writes, output, isUsed }: Destination,
  { cleanup, keepTemps }: KeptResults,
): readonly Finding[] {
  if (!isUsed || !output) return [];
  const expected = 'results in between that nobody asks for, since fused steps never write them';
  const refuse = (got: string): readonly Finding[] => [fail('pipeline/mode', { step, expected, got })];
  if (!output.isTemporary) return refuse(`the output "${output.path}" outside a folder named temp`);
  if (writes !== 'fused') return [];
  if (keepTemps) return refuse('--keep-temps');
  if (cleanup.keep_intermediates) return refuse('"keep_intermediates": true');
  return cleanup.temp_files ? [] : refuse('"temp_files": false');
}

/** A fused survey must see all that its step would have made, though a later step may drop some of it. */
export function refuseIncompleteSurveys(step: string, { tensors }: PredictedOutput): readonly Finding[] {
  const places = new Map<number, Set<number>>();
  const open = tensors.map(({ value }) => value);
  for (let value = open.pop(); value; value = open.pop()) {
    if (value.kind === 'adapted') open.push(value.base);
    if (value.kind !== 'merged') continue;
    open.push(...value.models, ...(value.base ? [value.base] : []));
    if (!value.survey) continue;
    const { group, index } = value.survey;
    places.set(group, (places.get(group) ?? new Set()).add(index));
  }
  const holes = [...places.values()].some((indices) => Math.max(...indices) + 1 > indices.size);
  const got = 'a method that looks over the whole model, of which a later step drops a part';
  return holes ? [fail('pipeline/mode', { step, expected: 'fused steps that keep every tensor', got })] : [];
}

/** A fused result has one way of being made. */
export function refuseOpenInput(step: string): Finding {
  return fail('pipeline/mode', {
    step,
    expected: 'inputs that are known before the run',
    got: 'one that a score decides',
  });
}
