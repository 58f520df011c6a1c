import type { WarningSink } from '../kit/warnings.ts';
import { numberOf } from './facts.ts';
import type { NodeId } from './graph.ts';
import type { MetFact } from './walk.ts';

/** The steps a sampler runs, ends inclusive, as far as the graph tells. */
export type StepRange = {
  readonly steps?: number;
  readonly startStep?: number;
  readonly endStep?: number;
  /** Steps that run: of the declared range, else the whole run; 0 when unknown. */
  readonly rangeLen: number;
  /** A range was declared and is not the whole run. */
  readonly isSegment: boolean;
};

/** `end_at_step` 10000 (its default) and -1 both mean "to the last step". */
const TO_THE_END = 10_000;

/** A declared window before it is clamped: start, and the first step that does not run. */
type Window = { start: number; end: number };

/**
 * Brings every spelling of a range to one: ends exclusive or inclusive, 10000 and -1 for "the last", windows cut
 * out of windows (SplitSigmas behind SplitSigmas), clamped to the steps.
 *
 * @param own the sampler's id: a lone start or end on it is ignored with a warning
 * @param facts what the sampler's own rule and its sigmas say, nearest first
 */
export function resolveRange(own: NodeId, facts: readonly MetFact[], warn: WarningSink): StepRange {
  const stepsFact = facts.find((fact) => fact.field === 'STEPS');
  const steps = stepsFact && wholeSteps(numberOf(stepsFact.value));
  const known = steps === undefined ? {} : { steps };
  const window = foldWindows(own, facts, steps ?? Number.POSITIVE_INFINITY, warn);
  if (!window) return { ...known, rangeLen: steps ?? 0, isSegment: false };

  if (window.end === Number.POSITIVE_INFINITY) {
    return { ...known, startStep: window.start, rangeLen: 0, isSegment: true };
  }
  const rangeLen = Math.max(0, window.end - window.start);
  if (rangeLen === 0)
    warn('sampler/empty-range', `steps ${window.start} to ${window.end - 1} hold none`, own);
  const isWhole = steps !== undefined && window.start === 0 && window.end === steps;
  return { ...known, startStep: window.start, endStep: window.end - 1, rangeLen, isSegment: !isWhole };
}

/** Undefined for a number that counts nothing: 1e300 is no number of steps. */
function wholeSteps(value: number): number | undefined {
  const steps = Math.max(0, Math.trunc(value));
  return Number.isSafeInteger(steps) ? steps : undefined;
}

/** Applies the windows from the source of the sigmas down to the sampler. Undefined where none is known. */
function foldWindows(
  own: NodeId,
  facts: readonly MetFact[],
  steps: number,
  warn: WarningSink,
): Window | undefined {
  const nodes = [...new Set(facts.filter(isBound).map((fact) => fact.nodeId))].reverse();
  let window: Window | undefined;
  for (const nodeId of nodes) {
    const start = facts.find((fact) => fact.nodeId === nodeId && fact.field === 'START_STEP');
    const end = facts.find((fact) => fact.nodeId === nodeId && fact.field === 'END_STEP');
    // Half of a split list of sigmas begins or ends where the list does; half a range on a sampler says nothing.
    if (nodeId === own && (!start || !end)) {
      const [has, lacks] = start ? ['START_STEP', 'END_STEP'] : ['END_STEP', 'START_STEP'];
      warn('sampler/half-range', `${has} without ${lacks} is ignored`, nodeId);
      continue;
    }
    const outer = window ?? { start: 0, end: steps };
    // A fraction of an unknown number of steps is unknown, and so is every window inside of it.
    if (outer.end === Number.POSITIVE_INFINITY && [start, end].some(isFraction)) return undefined;
    const from = start ? boundOf(start, outer) : 0;
    const to = end ? boundOf(end, outer) : Number.POSITIVE_INFINITY;
    const inner = { start: outer.start + Math.max(0, from), end: Math.min(outer.end, outer.start + to) };
    window = { start: Math.min(inner.start, outer.end), end: inner.end };
  }
  return window;
}

function isBound(fact: MetFact): boolean {
  return fact.field === 'START_STEP' || fact.field === 'END_STEP';
}

function isFraction(fact: MetFact | undefined): boolean {
  return fact?.place.normalise === 'split-at-denoise';
}

/** A bound relative to the window it cuts; ends come out exclusive. */
function boundOf(fact: MetFact, outer: Window): number {
  const value = numberOf(fact.value);
  const length = outer.end - outer.start;
  if (isFraction(fact)) {
    const kept = roundHalfEven(length * value);
    // The node slices `sigmas[:-kept]`, and Python's `[:-0]` is empty.
    return kept === 0 && fact.field === 'END_STEP' ? 0 : length - kept;
  }
  if (fact.field === 'START_STEP') return Math.min(Math.trunc(value), TO_THE_END);
  if (value < 0 || value >= TO_THE_END) return Number.POSITIVE_INFINITY;
  return Math.trunc(value) + (fact.place.ends === 'inclusive' ? 1 : 0);
}

/** Python's `round`. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
