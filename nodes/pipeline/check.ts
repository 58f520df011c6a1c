import { factsOf, leavesOf, type Source } from './conditions.ts';
import {
  type DiskMoment,
  type DiskUse,
  type EngineCosts,
  estimateJob,
  followDisks,
  type JobEstimate,
} from './estimate.ts';
import { expandSteps, type FlatStep } from './expand.ts';
import { type FileFacts, isSameArchitecture, type PipelineFacts } from './facts.ts';
import { caution, type Finding, fail } from './finding.ts';
import { linkSteps } from './graph.ts';
import type { Manifest, ModelRef } from './manifest.ts';
import { type PipelinePlan, type PlannedStep, type PlanOptions, planPipeline } from './plan-pipeline.ts';
import { readManifest } from './read-manifest.ts';
import { referencesOf } from './references.ts';
import { outputOf } from './step-output.ts';

/** A manifest whose form and references are sound, and the files that it names. */
export type LaidOut = {
  readonly manifest: Manifest;
  readonly steps: readonly FlatStep[];
  /** Paths that are read, and that are written: what the bridge is to collect facts of. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
};

/** A manifest laid out, or all that is wrong with it; warnings may come with both. */
export type LayoutResult =
  | { readonly laidOut: LaidOut; readonly findings: readonly Finding[] }
  | { readonly laidOut?: never; readonly findings: readonly Finding[] };

/**
 * Reads a manifest and follows its references: everything that can be said without looking at a file.
 *
 * @param value what a JSON or YAML parser gave.
 */
export function layOutManifest(value: unknown): LayoutResult {
  const { manifest, findings: malformed } = readManifest(value);
  if (!manifest) return { findings: malformed };
  const graph = linkSteps(manifest);
  if (hasErrors(graph.findings)) return { findings: graph.findings };
  const { steps, findings } = expandSteps(manifest, graph);
  if (hasErrors(findings)) return { findings };
  const sources = steps.flatMap(({ inputs }) => [...inputs.values()].flatMap(leavesOf));
  const asked = steps.flatMap(({ guards }) => guards.flatMap(({ when }) => filesAsked(when)));
  const reads = new Set([...sources.flatMap((leaf) => (leaf.kind === 'file' ? [leaf.path] : [])), ...asked]);
  const writes = new Set(steps.flatMap(writtenPath));
  return { laidOut: { manifest, steps, reads: [...reads], writes: [...writes] }, findings: graph.findings };
}

function filesAsked(when: FlatStep['guards'][number]['when']): readonly string[] {
  if (when.kind === 'score') return [];
  if (when.kind === 'property')
    return leavesOf(when.model).flatMap((leaf) => (leaf.kind === 'file' ? [leaf.path] : []));
  return (when.kind === 'not' ? [when.of] : when.of).flatMap(filesAsked);
}

function writtenPath({ step }: FlatStep): readonly string[] {
  const { path } = outputOf(step);
  return path === undefined ? [] : [path];
}

/** Whether any of the findings stops the run. */
export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ level }) => level === 'error');
}

/** A plan, what it moves and needs, and everything that is wrong with it. */
export type CheckedPipeline = PipelinePlan & {
  /** By id of a step with a job. */
  readonly estimates: ReadonlyMap<string, JobEstimate>;
  readonly disks: readonly DiskMoment[];
};

/** Checks everything that can be checked before a byte is written, and plans all steps. */
export function checkPipeline(
  { manifest, steps, reads }: LaidOut,
  facts: PipelineFacts,
  options: PlanOptions,
  costs: EngineCosts,
): CheckedPipeline {
  const plan = planPipeline(manifest, steps, facts, options);
  const estimates = new Map<string, JobEstimate>();
  const headers = headerSizes(plan, facts);
  for (const { flat, job, output } of plan.steps) {
    if (job && output?.predicted)
      estimates.set(
        flat.id,
        estimateJob(job, output.predicted.facts, (path) => headers.get(path) ?? 0, options.findMethod, costs),
      );
  }
  const uses = diskUses(plan, manifest, facts, options);
  const disks = followDisks(
    plan.steps.map(({ flat }) => flat.id),
    uses,
  );
  const findings = [
    ...reads.flatMap((path) => checkInput(path, steps, facts)),
    ...checkOutputs(plan, reads, facts),
    ...checkDeclarations(plan, facts),
    ...plan.findings,
    ...checkDisks(disks, plan, facts),
  ];
  return { steps: plan.steps, estimates, disks, findings };
}

function checkInput(path: string, steps: readonly FlatStep[], { files }: PipelineFacts): readonly Finding[] {
  const file = files.get(path);
  const user = steps.find(({ inputs }) =>
    [...inputs.values()].some((source) =>
      leavesOf(source).some((leaf) => leaf.kind === 'file' && leaf.path === path),
    ),
  );
  const step = user && { step: user.id };
  if (file?.problem) return [fail('file/unreadable', { ...step, where: path, ...file.problem })];
  if (file?.exists) return [];
  // The output of a step, named by its path: said by the check of outputs.
  const maker =
    file &&
    steps.find((each) => writtenPath(each).some((made) => files.get(made)?.identity === file.identity));
  return maker
    ? []
    : [fail('file/missing', { ...step, where: path, expected: 'a model file', got: 'no file of this name' })];
}

/** An output must be neither a file that is read nor another output, whatever names they go by. */
function checkOutputs(
  plan: PipelinePlan,
  reads: readonly string[],
  { files }: PipelineFacts,
): readonly Finding[] {
  const inputs = new Map(reads.map((path) => [files.get(path)?.identity ?? path, path]));
  const made = new Map<string, PlannedStep>();
  return plan.steps.flatMap((step) => {
    if (!step.output) return [];
    const { path } = step.output;
    const identity = files.get(path)?.identity ?? path;
    const at = { step: step.flat.id, where: `output ${path}` };
    const input = inputs.get(identity);
    const known = made.get(identity);
    made.set(identity, known ?? step);
    const findings: Finding[] = [];
    if (input !== undefined)
      findings.push(
        fail('pipeline/output-is-input', {
          ...at,
          expected: `a file that no step reads (or, where a later step is to read it, "step": "${step.flat.id}" there)`,
          got: input === path ? 'the path of an input' : `the same file as the input ${input}`,
        }),
      );
    if (known && !isExclusive(known.flat, step.flat))
      findings.push(
        fail('pipeline/same-output', {
          ...at,
          expected: 'a file of its own',
          got: `the output of step "${known.flat.id}"`,
        }),
      );
    return findings;
  });
}

/** Whether only one of two steps can run: they are in two branches of one question. */
function isExclusive(a: FlatStep, b: FlatStep): boolean {
  return a.guards.some(({ when, is }) => b.guards.some((other) => other.when === when && other.is !== is));
}

/** What the manifest says of its models against what they are; also of those that steps will make. */
function checkDeclarations(plan: PipelinePlan, { files }: PipelineFacts): readonly Finding[] {
  const made = new Map(plan.steps.map(({ flat, output }) => [flat.id, output?.predicted?.facts]));
  const answers = {
    file: (path: string) => files.get(path),
    result: (id: string) => made.get(id),
    score: () => undefined,
  };
  return plan.steps.flatMap(({ flat }) =>
    referencesOf(flat.step).flatMap(({ where, ref }) => {
      const source: Source | undefined = flat.inputs.get(where);
      const facts = source && factsOf(source, answers);
      return facts ? checkDeclared(flat.id, where, ref, facts) : [];
    }),
  );
}

function checkDeclared(
  step: string,
  where: string,
  ref: ModelRef,
  { path, detection }: FileFacts,
): readonly Finding[] {
  const findings: Finding[] = [];
  const found = detection?.found?.architecture;
  const { architecture, precision_detected: precision } = ref;
  const at = { step, where: `${where} (${path})` };
  if (
    architecture !== undefined &&
    found &&
    ![found.title, found.family].some((name) => isSameArchitecture(name, architecture))
  )
    findings.push(fail('pipeline/architecture', { ...at, expected: architecture, got: found.title }));
  const dtypes = detection?.dtypes.filter(({ share }) => share > 0).length ?? 0;
  const isRight =
    precision === undefined ||
    precision === 'unknown' ||
    detection?.precision === undefined ||
    (precision === 'mixed' ? dtypes > 1 : precision === detection.precision);
  if (!isRight)
    findings.push(
      caution('pipeline/precision', { ...at, expected: precision, got: detection.precision ?? 'unknown' }),
    );
  return findings;
}

/** Of every file that jobs read, shards by their own path: a shard's share is its part of the whole. */
function headerSizes(plan: PipelinePlan, { files }: PipelineFacts): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  const made = plan.steps.flatMap(({ output }) => (output?.predicted ? [output.predicted.facts] : []));
  for (const { headerBytes, tensors } of [...files.values(), ...made]) {
    const paths = new Set([...tensors.values()].map(({ file }) => file));
    for (const path of paths) sizes.set(path, headerBytes / paths.size);
  }
  return sizes;
}

function diskUses(
  plan: PipelinePlan,
  { cleanup }: Manifest,
  { files }: PipelineFacts,
  { keepTemps }: PlanOptions,
): readonly DiskUse[] {
  const deletes = cleanup.temp_files && !cleanup.keep_intermediates && !keepTemps;
  const lastUser = new Map<string, string>();
  for (const { flat } of plan.steps) {
    const used = [...flat.needs, ...[...flat.inputs.values()].flatMap(leavesOf).flatMap(idOf)];
    for (const id of used) lastUser.set(id, flat.id);
  }
  return plan.steps.flatMap(({ flat, writes, output }) => {
    if (writes !== 'file' || !output?.predicted) return [];
    const { facts } = output.predicted;
    const last = lastUser.get(flat.id);
    const replaced = files.get(output.path);
    return [
      {
        step: flat.id,
        volume: facts.volume,
        bytes: facts.bytes,
        replacedBytes: replaced?.exists ? replaced.bytes : 0,
        ...(deletes && output.isTemporary && last !== undefined && { lastUser: last }),
      },
    ];
  });
}

function idOf(leaf: ReturnType<typeof leavesOf>[number]): readonly string[] {
  return leaf.kind === 'step' ? [leaf.id] : [];
}

function checkDisks(
  disks: readonly DiskMoment[],
  { steps }: PipelinePlan,
  { freeBytes }: PipelineFacts,
): readonly Finding[] {
  const fullest = new Map<string, DiskMoment>();
  for (const moment of disks) {
    const known = fullest.get(moment.volume);
    if (!known || moment.duringBytes > known.duringBytes) fullest.set(moment.volume, moment);
  }
  return [...fullest.values()].flatMap(({ volume, step, duringBytes }) => {
    const free = freeBytes.get(volume);
    if (free === undefined || duringBytes <= free) return [];
    const path = steps.find(({ flat }) => flat.id === step)?.output?.path;
    const expected = `${duringBytes} bytes of free space on its disk at this step`;
    return [
      fail('pipeline/disk-space', {
        step,
        ...(path !== undefined && { where: path }),
        expected,
        got: `${free}`,
      }),
    ];
  });
}
