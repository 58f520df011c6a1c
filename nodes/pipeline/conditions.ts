import type { Condition } from './condition-schema.ts';
import type { FileFacts } from './facts.ts';
import { isSameArchitecture } from './facts.ts';
import type { ModelRef } from './manifest.ts';

/** Where a model comes from, once loops and branches are laid out. */
export type Source =
  | { readonly kind: 'file'; readonly path: string }
  /** The output of a step, by its id in the laid out pipeline. */
  | { readonly kind: 'step'; readonly id: string }
  | { readonly kind: 'choice'; readonly when: Question; readonly yes: Source; readonly no: Source }
  | { readonly kind: 'best'; readonly goal: 'maximise' | 'minimise'; readonly of: readonly Trial[] };

/** One run of the steps that an optimisation tunes: what it made, and the score that it is judged by. */
type Trial = { readonly source: Source; readonly step: string; readonly score: string };

/** A condition, its references resolved. */
export type Question =
  | { readonly kind: 'property'; readonly model: Source; readonly property: Property; readonly tests: Tests }
  | { readonly kind: 'score'; readonly step: string; readonly score: string; readonly tests: Tests }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Question[] }
  | { readonly kind: 'not'; readonly of: Question };
type Property = NonNullable<Condition['property']>;
type Tests = Pick<Condition, 'is' | 'is_not' | 'above' | 'below' | 'at_least' | 'at_most'>;

/** Resolves the references of a condition that was found sound. */
export function resolveCondition(
  condition: Condition,
  modelOf: (ref: ModelRef) => Source,
  stepOf: (id: string) => string,
): Question {
  const { model, property, step, score, all, any, not } = condition;
  const inner = (each: Condition): Question => resolveCondition(each, modelOf, stepOf);
  if (not) return { kind: 'not', of: inner(not) };
  if (all) return { kind: 'all', of: all.map(inner) };
  if (any) return { kind: 'any', of: any.map(inner) };
  const { is, is_not, above, below, at_least, at_most } = condition;
  const tests = { is, is_not, above, below, at_least, at_most };
  if (model && property) return { kind: 'property', model: modelOf(model), property, tests };
  if (step !== undefined && score !== undefined) return { kind: 'score', step: stepOf(step), score, tests };
  throw new Error('a condition that the schema does not allow');
}

/** What answers can be read from; undefined for what is not known yet. */
export type Answers = {
  file(path: string): FileFacts | undefined;
  result(step: string): FileFacts | undefined;
  score(step: string, name: string): number | string | boolean | undefined;
};

/** The answer to a question, or undefined while it is open. An open part of `all` or `any` may not matter. */
export function answer(question: Question, answers: Answers): boolean | undefined {
  return answerOnce(question, answers, new Map());
}

/** What a source is, where that is known by now. */
export function factsOf(source: Source, answers: Answers): FileFacts | undefined {
  return factsOnce(source, answers, new Map());
}

/** The file or step that a source comes down to, or undefined while that is open. */
export function settle(source: Source, answers: Answers): Leaf | undefined {
  return settleOnce(source, answers, new Map());
}

type Leaf = Extract<Source, { readonly kind: 'file' | 'step' }>;
/** Questions that were answered before: later ones are made of earlier ones, each perhaps several times. */
type Known = Map<Question, boolean | undefined>;

function answerOnce(question: Question, answers: Answers, known: Known): boolean | undefined {
  if (!known.has(question)) known.set(question, work(question, answers, known));
  return known.get(question);
}

function work(question: Question, answers: Answers, known: Known): boolean | undefined {
  switch (question.kind) {
    case 'not': {
      const inner = answerOnce(question.of, answers, known);
      return inner === undefined ? undefined : !inner;
    }
    case 'all':
    case 'any': {
      const deciding = question.kind === 'any';
      const found = question.of.map((each) => answerOnce(each, answers, known));
      if (found.includes(deciding)) return deciding;
      return found.includes(undefined) ? undefined : !deciding;
    }
    case 'score':
      return compare(answers.score(question.step, question.score), question.tests, false);
    case 'property': {
      const facts = factsOnce(question.model, answers, known);
      return facts && compare(propertyOf(facts, question.property), question.tests, true);
    }
  }
}

function factsOnce(source: Source, answers: Answers, known: Known): FileFacts | undefined {
  const settled = settleOnce(source, answers, known);
  if (settled === undefined) return undefined;
  return settled.kind === 'file' ? answers.file(settled.path) : answers.result(settled.id);
}

function settleOnce(source: Source, answers: Answers, known: Known): Leaf | undefined {
  switch (source.kind) {
    case 'file':
    case 'step':
      return source;
    case 'choice': {
      const chosen = answerOnce(source.when, answers, known);
      return chosen === undefined ? undefined : settleOnce(chosen ? source.yes : source.no, answers, known);
    }
    case 'best': {
      const best = bestTrial(source, answers);
      return best && settleOnce(best.source, answers, known);
    }
  }
}

/** The first of the best; undefined until every trial has its score. A score that is no number counts as the worst. */
function bestTrial(
  { goal, of }: Extract<Source, { readonly kind: 'best' }>,
  answers: Answers,
): Trial | undefined {
  const worst = goal === 'maximise' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  let best: { readonly trial: Trial; readonly value: number } | undefined;
  for (const trial of of) {
    const score = answers.score(trial.step, trial.score);
    if (score === undefined) return undefined;
    const value = typeof score === 'number' && !Number.isNaN(score) ? score : worst;
    if (!best || (goal === 'maximise' ? value > best.value : value < best.value)) best = { trial, value };
  }
  return best?.trial;
}

/** Every file and step that a source may come down to. */
export function leavesOf(source: Source): readonly Leaf[] {
  switch (source.kind) {
    case 'file':
    case 'step':
      return [source];
    case 'choice':
      return [...leavesOf(source.yes), ...leavesOf(source.no)];
    case 'best':
      return source.of.flatMap((trial) => leavesOf(trial.source));
  }
}

function propertyOf(facts: FileFacts, property: Property): string | number {
  if (property === 'tensors') return facts.tensors.size;
  if (property === 'bytes') return facts.bytes;
  if (property === 'precision') return facts.detection?.precision ?? 'unknown';
  return facts.detection?.found?.architecture.title ?? 'unknown';
}

function compare(
  value: string | number | boolean | undefined,
  { is, is_not, above, below, at_least, at_most }: Tests,
  isName: boolean,
): boolean | undefined {
  if (value === undefined) return undefined;
  const equals = (wanted: string | number | boolean): boolean =>
    isName && typeof value === 'string' && typeof wanted === 'string'
      ? isSameArchitecture(value, wanted)
      : value === wanted;
  // What is no number is neither above nor below one.
  const number = typeof value === 'number' ? value : Number.NaN;
  return (
    (is === undefined || equals(is)) &&
    (is_not === undefined || !equals(is_not)) &&
    (above === undefined || number > above) &&
    (below === undefined || number < below) &&
    (at_least === undefined || number >= at_least) &&
    (at_most === undefined || number <= at_most)
  );
}
