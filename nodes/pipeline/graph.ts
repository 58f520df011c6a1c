import { nearestWord } from '../kit/nearest-word.ts';
import { caution, type Finding, fail } from './finding.ts';
import type { Manifest, Step } from './manifest.ts';
import { orderByNeeds } from './order.ts';
import { branchesOf, type Reference, referencesOf } from './references.ts';
import { isReport } from './report-step.ts';

/** A step with the steps that it is in, outermost first. */
type Placed = {
  readonly step: Step;
  /** `pipeline.steps[3].then[0]` */
  readonly where: string;
  readonly within: readonly Enclosure[];
};
type Enclosure = { readonly step: Step; readonly branch: string };

/** How the steps of a manifest hang together. */
export type PipelineGraph = {
  /** Every id with those it waits for, inferred and declared; in the order of the manifest. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
  /** The ids in an order in which they can run, the same for the same manifest; empty where there is none. */
  readonly order: readonly string[];
  readonly findings: readonly Finding[];
};

/** Follows all references of a manifest; what is wrong is collected. */
export function linkSteps(manifest: Manifest): PipelineGraph {
  const places = manifest.steps.flatMap((step, index) => place(step, `pipeline.steps[${index}]`, []));
  const byId = new Map<string, Placed>();
  const findings: Finding[] = [];
  for (const each of places) {
    const known = byId.get(each.step.id);
    if (known === undefined) byId.set(each.step.id, each);
    else
      findings.push(
        fail('pipeline/duplicate-id', {
          step: each.step.id,
          where: each.where,
          expected: 'an id that no other step has',
          got: `the id of ${known.where}`,
        }),
      );
  }
  const needs = new Map<string, readonly string[]>();
  for (const each of byId.values()) {
    const { used, wrong } = follow(each, byId);
    findings.push(...wrong);
    const declared = checkDeclared(each, used, byId, findings);
    const inside = branchesOf(each.step).flatMap(([, steps]) => steps.map(({ id }) => id));
    needs.set(each.step.id, [...new Set([...used, ...declared, ...inside])]);
  }
  addWaits(byId, needs);
  if (findings.some(({ level }) => level === 'error')) return { needs, order: [], findings };
  const ordered = orderByNeeds(needs);
  if (ordered.cycle === undefined) return { needs, order: ordered.order, findings };
  const [first] = ordered.cycle;
  const cycle = fail('pipeline/cycle', {
    ...(first !== undefined && { step: first }),
    expected: 'steps that can run one after the other',
    got: `a circle of references: ${ordered.cycle.join(' -> ')}`,
  });
  return { needs, order: [], findings: [...findings, cycle] };
}

function place(step: Step, where: string, within: readonly Enclosure[]): Placed[] {
  const inner = branchesOf(step).flatMap(([branch, steps]) =>
    steps.flatMap((each, index) =>
      place(each, `${where}.${branch}[${index}]`, [...within, { step, branch }]),
    ),
  );
  return [{ step, where, within }, ...inner];
}

/** What steps inside another one wait for on its behalf: its condition, its start, what it was declared to wait for. */
function addWaits(byId: ReadonlyMap<string, Placed>, needs: Map<string, readonly string[]>): void {
  for (const { step, within } of byId.values()) {
    const waits = within.flatMap((outer) => {
      const inside = new Set(branchesOf(outer.step).flatMap(([, steps]) => steps.flatMap(allIds)));
      return (needs.get(outer.step.id) ?? []).filter((id) => !inside.has(id) && id !== step.id);
    });
    needs.set(step.id, [...new Set([...(needs.get(step.id) ?? []), ...waits])]);
  }
}

function allIds(step: Step): string[] {
  return [step.id, ...branchesOf(step).flatMap(([, steps]) => steps.flatMap(allIds))];
}

function follow(
  from: Placed,
  byId: ReadonlyMap<string, Placed>,
): { readonly used: readonly string[]; readonly wrong: readonly Finding[] } {
  const used: string[] = [];
  const wrong: Finding[] = [];
  for (const reference of referencesOf(from.step)) {
    const id = reference.ref.step;
    if (id === undefined) continue;
    const target = byId.get(id);
    const finding = target
      ? refuse(from, target, reference)
      : unknownStep(from, `${from.where}.${reference.where}`, id, byId);
    if (finding) wrong.push(finding);
    else if (target && !isAround(target.step, from)) used.push(id);
  }
  return { used: [...new Set(used)], wrong };
}

/** Why a step cannot refer to another one, if it cannot. */
function refuse(from: Placed, target: Placed, { where, use, inside }: Reference): Finding | undefined {
  const at = { step: from.step.id, where: `${from.where}.${where}` };
  const named = `"${target.step.id}"`;
  const isOuterLoop = isAround(target.step, from) && target.step.type === 'loop';
  if (target.step === from.step || (isAround(target.step, from) && !isOuterLoop))
    return fail('pipeline/self-reference', { ...at, expected: 'another step', got: `${named}, itself` });
  if (isOuterLoop && target.step.type === 'loop' && target.step.start === undefined)
    return fail('pipeline/no-result', {
      ...at,
      expected: `a "start" of loop ${named}, for its first round`,
      got: 'none',
    });
  const scope = inside ? [...from.within, { step: from.step, branch: 'steps' }] : from.within;
  const hidden = target.within.find(
    (outer) =>
      outer.step.type !== 'parallel' &&
      !scope.some((mine) => mine.step === outer.step && mine.branch === outer.branch),
  );
  if (hidden)
    return fail('pipeline/hidden-step', {
      ...at,
      expected: `"${hidden.step.id}", the ${hidden.step.type} step around it`,
      got: named,
    });
  const { type } = target.step;
  if (use === 'score')
    return isReport(target.step)
      ? undefined
      : fail('pipeline/no-score', {
          ...at,
          expected: 'a step that finds scores',
          got: `${named}, a ${type} step`,
        });
  if (use === 'tuned')
    return type === 'merge' || type === 'block_merge'
      ? undefined
      : fail('pipeline/no-result', { ...at, expected: 'a merge to tune', got: `${named}, a ${type} step` });
  const lacks = whyNoModel(target.step);
  return lacks === undefined
    ? undefined
    : fail('pipeline/no-result', { ...at, expected: 'a step that makes a model', got: `${named}, ${lacks}` });
}

/** Why nothing can be loaded from a step; undefined where it makes a model on every way through it. */
function whyNoModel(step: Step): string | undefined {
  if (isReport(step) || step.type === 'parallel') return `a ${step.type} step`;
  if (step.type === 'if' && !step.else) return 'an if step without else';
  for (const [branch, steps] of branchesOf(step)) {
    const last = steps.at(-1);
    const lacks = last && whyNoModel(last);
    if (last && lacks !== undefined) return `whose ${branch} ends with "${last.id}", ${lacks}`;
  }
  return undefined;
}

function isAround(outer: Step, { within }: Placed): boolean {
  return within.some(({ step }) => step === outer);
}

function unknownStep(from: Placed, where: string, id: string, byId: ReadonlyMap<string, Placed>): Finding {
  const nearest = nearestWord(id, [...byId.keys()]);
  return fail('pipeline/unknown-step', {
    step: from.step.id,
    where,
    expected: nearest === undefined ? 'the id of a step' : `the id of a step, perhaps "${nearest}"`,
    got: `"${id}"`,
  });
}

/** @returns the declared ones that exist */
function checkDeclared(
  from: Placed,
  used: readonly string[],
  byId: ReadonlyMap<string, Placed>,
  findings: Finding[],
): readonly string[] {
  return (from.step.dependencies ?? []).filter((id, index) => {
    const where = `${from.where}.dependencies[${index}]`;
    const target = byId.get(id);
    if (!target) findings.push(unknownStep(from, where, id, byId));
    else if (target.step === from.step || isAround(target.step, from))
      findings.push(
        fail('pipeline/self-reference', {
          step: from.step.id,
          where,
          expected: 'another step',
          got: `"${id}"`,
        }),
      );
    else if (!used.includes(id))
      findings.push(
        caution('pipeline/unused-dependency', {
          step: from.step.id,
          where,
          expected: 'only steps whose results are used',
          got: `"${id}"`,
        }),
      );
    return target !== undefined && target.step !== from.step;
  });
}
