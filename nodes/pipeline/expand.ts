import { type Question, resolveCondition, type Source } from './conditions.ts';
import { type Finding, fail } from './finding.ts';
import type { PipelineGraph } from './graph.ts';
import type {
  IfStep,
  LoopStep,
  Manifest,
  MergeStep,
  ModelRef,
  OptimizeStep,
  Step,
  WorkStep,
} from './manifest.ts';
import { branchesOf, referencesOf } from './references.ts';
import { isReport } from './report-step.ts';

/** A step of the laid out pipeline: loops unrolled, branches under guard, every reference resolved. */
export type FlatStep = {
  /** As in the manifest; within a loop or an optimisation `refine[2].merge`, counted from 1. */
  readonly id: string;
  readonly step: WorkStep;
  /** By the place of the reference: `models[0]`, `vae`. */
  readonly inputs: ReadonlyMap<string, Source>;
  /** It runs where every question is answered so. */
  readonly guards: readonly Guard[];
  /** Ids of the steps that must have run, or been passed over, before it. */
  readonly needs: readonly string[];
  /** Which trial of which optimisation sets some of its numbers. */
  readonly tuned?: {
    /** Id of the optimisation as it is laid out, and the step that it is in the manifest. */
    readonly by: string;
    readonly optimize: OptimizeStep;
    /** From 1. */
    readonly trial: number;
    readonly values: readonly Tuned[];
  };
};
/** A question, and the answer under which a step runs. */
type Guard = { readonly when: Question; readonly is: boolean };
/** A number of a step, and its place among those that the optimisation sets. */
type Tuned = { readonly place: number; readonly model?: number; readonly param?: string };

/** A manifest that would run more steps than this is a mistake. */
const MAX_STEPS = 10_000;

/**
 * Lays a manifest out: a list of steps in the order they can run, without loops and branches.
 *
 * @param graph of the manifest, without errors.
 */
export function expandSteps(
  manifest: Manifest,
  graph: PipelineGraph,
): { readonly steps: readonly FlatStep[]; readonly findings: readonly Finding[] } {
  const count = countRuns(manifest.steps);
  if (count > MAX_STEPS) {
    const got = `${count}, loops counted as often as they may run`;
    return {
      steps: [],
      findings: [fail('pipeline/malformed', { expected: `at most ${MAX_STEPS} steps`, got })],
    };
  }
  const rank = new Map(graph.order.map((id, index) => [id, index]));
  const steps: FlatStep[] = [];
  layOut(manifest.steps, { prefix: '', guards: [], known: new Map() }, { rank, needs: graph.needs, steps });
  return { steps, findings: [] };
}

type Scope = {
  readonly prefix: string;
  readonly guards: readonly Guard[];
  /** What the ids that can be seen here stand for; steps of this scope are added as they are laid out. */
  readonly known: Map<string, Meaning>;
  readonly tuning?: { readonly by: string; readonly trial: number; readonly step: OptimizeStep };
};
/** The step it became, and the model that its id stands for. */
type Meaning = { readonly flat: string; readonly source?: Source; readonly reports: boolean };
type Layout = {
  readonly rank: ReadonlyMap<string, number>;
  readonly needs: PipelineGraph['needs'];
  readonly steps: FlatStep[];
};

function countRuns(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => {
    const inner = branchesOf(step).reduce((total, [, each]) => total + countRuns(each), 0);
    if (step.type === 'loop') return sum + step.times * inner;
    return sum + (step.type === 'optimize' ? step.trials * inner : Math.max(1, inner));
  }, 0);
}

/** Branches that run beside each other are steps like all others: only the order they need is kept. */
function spliceParallel(steps: readonly Step[]): readonly Exclude<Step, { readonly type: 'parallel' }>[] {
  return steps.flatMap((step) => (step.type === 'parallel' ? spliceParallel(step.branches.flat()) : [step]));
}

/** @returns what the last step, as written, stands for */
function layOut(body: readonly Step[], scope: Scope, layout: Layout): Source | undefined {
  const rankOf = (step: Step): number => layout.rank.get(step.id) ?? 0;
  for (const step of [...spliceParallel(body)].sort((a, b) => rankOf(a) - rankOf(b))) {
    const source = layOutStep(step, scope, layout);
    const flat = scope.prefix + step.id;
    scope.known.set(step.id, { flat, ...(source && { source }), reports: isReport(step) });
  }
  const last = body.at(-1);
  return last && scope.known.get(last.id)?.source;
}

function layOutStep(
  step: Exclude<Step, { readonly type: 'parallel' }>,
  scope: Scope,
  layout: Layout,
): Source | undefined {
  if (step.type === 'if') return layOutIf(step, scope, layout);
  if (step.type === 'loop') return layOutLoop(step, scope, layout);
  if (step.type === 'optimize') return layOutTrials(step, scope, layout);
  const inputs = new Map(
    referencesOf(step).flatMap(({ where, ref, use }) =>
      use === 'model' ? [[where, sourceOf(ref, scope)] as const] : [],
    ),
  );
  // Also what the steps around it were declared to wait for.
  const declared = (layout.needs.get(step.id) ?? []).flatMap((id) => {
    const meaning = scope.known.get(id);
    return meaning?.source ? stepsOf(meaning.source) : meaning?.reports ? [meaning.flat] : [];
  });
  const tuned = tunedBy(step, scope);
  layout.steps.push({
    id: scope.prefix + step.id,
    step,
    inputs,
    guards: scope.guards,
    needs: [
      ...new Set([
        ...[...inputs.values()].flatMap(stepsOf),
        ...declared,
        ...scope.guards.flatMap(({ when }) => stepsAsked(when)),
      ]),
    ],
    ...(tuned && { tuned }),
  });
  return isReport(step) ? undefined : { kind: 'step', id: scope.prefix + step.id };
}

function layOutIf(step: IfStep, scope: Scope, layout: Layout): Source | undefined {
  const when = questionOf(step.condition, scope);
  const branch = (steps: readonly Step[], is: boolean): Source | undefined =>
    layOut(steps, { ...scope, guards: [...scope.guards, { when, is }], known: new Map(scope.known) }, layout);
  const yes = branch(step.then, true);
  const no = step.else && branch(step.else, false);
  return yes && no && { kind: 'choice', when, yes, no };
}

function layOutLoop(step: LoopStep, scope: Scope, layout: Layout): Source | undefined {
  const flat = scope.prefix + step.id;
  const rounds: { readonly result: Source | undefined; readonly until: Question | undefined }[] = [];
  let before: Source | undefined = step.start && sourceOf(step.start, scope);
  let guards = scope.guards;
  for (let round = 1; round <= step.times; round++) {
    const meaning = { flat, ...(before && { source: before }), reports: false };
    const known = new Map(scope.known).set(step.id, meaning);
    const inner = { ...scope, prefix: `${flat}[${round}].`, guards, known };
    const result = layOut(step.steps, inner, layout);
    const until = step.until && questionOf(step.until, inner);
    rounds.push({ result, until });
    if (until) guards = [...guards, { when: until, is: false }];
    before = result;
  }
  // From behind: a round's result counts where the loop ended with it.
  return rounds.reduceRight<Source | undefined>(
    (later, { result, until }) =>
      later && until && result ? { kind: 'choice', when: until, yes: result, no: later } : (later ?? result),
    undefined,
  );
}

function layOutTrials(step: OptimizeStep, scope: Scope, layout: Layout): Source | undefined {
  const flat = scope.prefix + step.id;
  const of = Array.from({ length: step.trials }, (_, index) => {
    const trial = index + 1;
    const known = new Map(scope.known);
    const tuning = { by: flat, trial, step };
    const source = layOut(step.steps, { ...scope, prefix: `${flat}[${trial}].`, known, tuning }, layout);
    return { source, step: known.get(step.score.step)?.flat ?? '', score: step.score.name };
  });
  const made = of.flatMap(({ source, ...rest }) => (source ? [{ source, ...rest }] : []));
  return made.length === of.length ? { kind: 'best', goal: step.goal, of: made } : undefined;
}

function tunedBy(step: WorkStep, { tuning }: Scope): FlatStep['tuned'] {
  if (!tuning) return undefined;
  const values = tuning.step.tune.flatMap((each, place) =>
    each.step === step.id
      ? [
          {
            place,
            ...(each.model !== undefined && { model: each.model }),
            ...(each.param !== undefined && { param: each.param }),
          },
        ]
      : [],
  );
  return values.length === 0
    ? undefined
    : { by: tuning.by, optimize: tuning.step, trial: tuning.trial, values };
}

/**
 * The step with the numbers that a trial sets.
 *
 * @param values of the optimisation, in the order of its `tune`.
 */
export function tuneStep(flat: FlatStep, values: readonly number[]): WorkStep {
  const { step, tuned } = flat;
  if (!tuned || (step.type !== 'merge' && step.type !== 'block_merge')) return step;
  const params = { ...step.params };
  const weights = new Map<number, number>();
  for (const { place, model, param } of tuned.values) {
    const value = values[place];
    if (value === undefined) throw new Error(`no value ${place} for ${flat.id}`);
    if (param !== undefined) params[param] = value;
    if (model !== undefined) weights.set(model, value);
  }
  if (step.type === 'block_merge') return { ...step, params };
  const models: MergeStep['models'] = step.models.map((model, index) => {
    const weight = weights.get(index);
    return weight === undefined ? model : { ...model, weight };
  });
  return { ...step, params, models };
}

function sourceOf({ path, step }: ModelRef, { known }: Scope): Source {
  if (path !== undefined) return { kind: 'file', path };
  const source = step === undefined ? undefined : known.get(step)?.source;
  if (!source) throw new Error(`the graph let a reference to "${step}" pass`);
  return source;
}

function questionOf(condition: IfStep['condition'], scope: Scope): Question {
  return resolveCondition(
    condition,
    (ref) => sourceOf(ref, scope),
    (id) => scope.known.get(id)?.flat ?? id,
  );
}

function stepsOf(source: Source): readonly string[] {
  const ids = new Set<string>();
  collectSteps(source, ids, new Set());
  return [...ids];
}

function stepsAsked(question: Question): readonly string[] {
  const ids = new Set<string>();
  collectAsked(question, ids, new Set());
  return [...ids];
}

/** The steps that a source may come down to, and those that must have answered before it does. */
function collectSteps(source: Source, ids: Set<string>, seen: Set<Source | Question>): void {
  // Sources and questions are made of earlier ones, each perhaps several times.
  if (seen.has(source)) return;
  seen.add(source);
  if (source.kind === 'step') ids.add(source.id);
  if (source.kind === 'choice') {
    collectSteps(source.yes, ids, seen);
    collectSteps(source.no, ids, seen);
    collectAsked(source.when, ids, seen);
  }
  if (source.kind !== 'best') return;
  for (const trial of source.of) {
    collectSteps(trial.source, ids, seen);
    ids.add(trial.step);
  }
}

function collectAsked(question: Question, ids: Set<string>, seen: Set<Source | Question>): void {
  if (seen.has(question)) return;
  seen.add(question);
  if (question.kind === 'score') ids.add(question.step);
  else if (question.kind === 'property') collectSteps(question.model, ids, seen);
  else
    for (const each of question.kind === 'not' ? [question.of] : question.of) collectAsked(each, ids, seen);
}
