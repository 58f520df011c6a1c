import type { CheckedPipeline } from './check.ts';
import { leavesOf } from './conditions.ts';
import { parametersOf, toCanonicalJson } from './step-key.ts';

/** A setting of a step in two plans, as JSON; absent where it is not set. */
type ChangedSetting = { readonly setting: string; readonly before?: string; readonly after?: string };

/** What sets two plans apart. Steps are the same where their ids are. */
export type PlanDifference = {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly { readonly step: string; readonly settings: readonly ChangedSetting[] }[];
  /** Steps that did not change themselves, but take a result that did. */
  readonly affected: readonly string[];
  readonly readBytes: readonly [before: number, after: number];
  readonly writeBytes: readonly [before: number, after: number];
};

/** Compares two plans, step by step. */
export function diffPlans(before: CheckedPipeline, after: CheckedPipeline): PlanDifference {
  const [old, now] = [settingsOf(before), settingsOf(after)];
  const changed = [...now].flatMap(([step, settings]) => {
    const earlier = old.get(step);
    const differing = earlier && differ(earlier, settings);
    return differing && differing.length > 0 ? [{ step, settings: differing }] : [];
  });
  const added = [...now.keys()].filter((id) => !old.has(id));
  const touched = new Set([...added, ...changed.map(({ step }) => step)]);
  const affected: string[] = [];
  for (const { flat } of after.steps) {
    if (touched.has(flat.id) || !flat.needs.some((id) => touched.has(id))) continue;
    touched.add(flat.id);
    affected.push(flat.id);
  }
  return {
    added,
    removed: [...old.keys()].filter((id) => !now.has(id)),
    changed,
    affected,
    readBytes: [sumOf(before, 'readBytes'), sumOf(after, 'readBytes')],
    writeBytes: [sumOf(before, 'writeBytes'), sumOf(after, 'writeBytes')],
  };
}

/** The difference in words, a line each; one line where there is none. */
export function describeDifference(difference: PlanDifference): readonly string[] {
  const { added, removed, changed, affected, readBytes, writeBytes } = difference;
  const lines = [
    ...added.map((id) => `step "${id}" is new`),
    ...removed.map((id) => `step "${id}" is gone`),
    ...changed.flatMap(({ step, settings }) =>
      settings.map(
        ({ setting, before = 'not set', after = 'not set' }) =>
          `step "${step}": ${setting} was ${before}, is ${after}`,
      ),
    ),
    ...affected.map((id) => `step "${id}" is made again: what it takes has changed`),
    ...describeBytes('read', readBytes),
    ...describeBytes('written', writeBytes),
  ];
  return lines.length > 0 ? lines : ['the plans do the same'];
}

function describeBytes(what: string, [before, after]: readonly [number, number]): readonly string[] {
  return before === after ? [] : [`bytes ${what}: ${before} before, ${after} now`];
}

/** Every setting of every step that matters to its result, and where its inputs come from and its output goes. */
function settingsOf({ steps }: CheckedPipeline): ReadonlyMap<string, ReadonlyMap<string, string>> {
  return new Map(
    steps.map(({ flat, output, writes }) => {
      const settings = new Map<string, string>();
      flatten(parametersOf(flat.step), '', settings);
      for (const [where, source] of flat.inputs) {
        const names = leavesOf(source).map((leaf) => (leaf.kind === 'file' ? leaf.path : `step ${leaf.id}`));
        settings.set(where, names.join(' or '));
      }
      if (output) settings.set('output.path', writes === 'fused' ? 'not written' : output.path);
      return [flat.id, settings];
    }),
  );
}

function flatten(value: unknown, path: string, settings: Map<string, string>): void {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    if (path !== '' && value !== undefined) settings.set(path, toCanonicalJson(value));
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    flatten(inner, at, settings);
  }
}

function differ(
  old: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): readonly ChangedSetting[] {
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((setting) => {
    const [before, after] = [old.get(setting), now.get(setting)];
    if (before === after) return [];
    return [{ setting, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
  });
}

function sumOf({ estimates }: CheckedPipeline, what: 'readBytes' | 'writeBytes'): number {
  return [...estimates.values()].reduce((sum, estimate) => sum + estimate[what], 0);
}
