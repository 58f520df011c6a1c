import { cleanValue } from './plain-text.ts';
import { toA1111Sampler } from './sampler-names.ts';
import type { SamplerEntry } from './samplers.ts';

/**
 * `Euler (0-19) | Heun (20-29)`: no comma and no colon, so that every reader takes it as one plain value.
 * Ends are inclusive.
 */
export function samplerTail(samplers: readonly SamplerEntry[]): string {
  return samplers
    .map((entry) => {
      const span = spanOf(entry, samplers);
      return span === '' ? nameOf(entry) : `${nameOf(entry)} (${span})`;
    })
    .join(' | ');
}

/**
 * `"1: Euler 0-19, 2: Heun 20-29"`: quoted and flat, like `Lora hashes`. Brackets or a second `Steps:` would make
 * Civitai reject the whole line.
 */
export function samplerDetail(samplers: readonly SamplerEntry[]): string {
  const parts = samplers.map((entry, index) =>
    `${index + 1}: ${nameOf(entry)} ${spanOf(entry, samplers)}`.trim(),
  );
  return `"${parts.join(', ')}"`;
}

/** A range beside segments; the number of steps where every sampler runs in full (hires fix). */
function spanOf(entry: SamplerEntry, among: readonly SamplerEntry[]): string {
  const { startStep, endStep, steps, rangeLen, isSegment } = entry;
  if (isSegment && startStep !== undefined) {
    if (endStep === undefined) return `${startStep}-`;
    return rangeLen > 0 ? `${startStep}-${endStep}` : '0 steps';
  }
  if (steps === undefined || steps < 1) return '';
  return among.some((other) => other.isSegment) ? `0-${steps - 1}` : `${steps} steps`;
}

function nameOf({ samplerName, classType }: SamplerEntry): string {
  const name = samplerName === undefined ? classType : toA1111Sampler(samplerName);
  return cleanValue(name.replace(/[|()]/g, ' '));
}
