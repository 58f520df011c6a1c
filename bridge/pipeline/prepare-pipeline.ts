import { dirname, join } from 'node:path';
import { layOutManifest } from '../../nodes/pipeline/check.ts';
import { caution, type Finding, fail } from '../../nodes/pipeline/finding.ts';
import { isInTemporaryFolder } from '../../nodes/pipeline/temporary-path.ts';
import { hashText } from '../local/hash-text.ts';
import { type CollectedFacts, collectFacts, type FindConfig } from './collect-facts.ts';
import { type HashAccess, hashModel, type ModelHashes } from './identify-models.ts';
import { planRun, type RunPlan, type RunPlanInputs } from './plan-run.ts';
import { refusalOf } from './refuse.ts';

/** How a manifest is to be run. */
export type PrepareOptions = {
  /** What a parser of JSON or YAML gave. */
  readonly manifest: unknown;
  /** The absolute path of one that the manifest spells. */
  pathOf(spelled: string): string;
  /** Name of the manifest: temporary files lie in a folder of this name. */
  readonly name: string;
  readonly mode: 'staged' | 'fused';
  readonly keepTemps: boolean;
  readonly threads: number;
  /** Texts that a result must have, whatever the manifest says. */
  textsOf?(id: string): ReadonlyMap<string, string> | undefined;
  /** The configurations of adapters, where they are not to be looked for beside them. */
  readonly findConfig?: FindConfig;
  readonly onFinding?: (finding: Finding) => void;
};

/** A manifest that can be run: everything that can be checked before a byte is written was. */
export type Prepared = {
  readonly inputs: RunPlanInputs;
  /** What was planned before anything ran. */
  readonly plan: RunPlan;
  readonly warnings: readonly Finding[];
};

/**
 * Checks a manifest against the files it names and plans it.
 *
 * @param access hashes all inputs; without it their hashes are made up, of the same length: enough to tell all sizes.
 * @throws LineageError of the first finding that is an error; all findings are told before
 */
export async function preparePipeline(
  options: PrepareOptions,
  access: HashAccess | undefined,
): Promise<Prepared> {
  const { pathOf, onFinding } = options;
  const { laidOut, findings } = layOutManifest(options.manifest);
  if (!laidOut) throw refuse(findings, onFinding);
  const { manifest, steps } = laidOut;
  const folder = tempFolder(laidOut.writes, options.name);
  const tempPath = (id: string): string => `${folder}/${id.replace(/[^A-Za-z0-9_.[\]-]/g, '_')}.safetensors`;
  const temporary = steps
    .filter(({ step }) => !('output' in step && step.output))
    .map(({ id }) => tempPath(id));
  const facts = await collectFacts(
    laidOut.reads,
    [...laidOut.writes, ...temporary],
    pathOf,
    options.findConfig,
  );
  const unread = [...facts.problems].map(([path, code]) => problemOf(path, code, facts));
  const inputs = { ...options, laidOut, facts, tempPath };
  const madeUp = new Map(
    laidOut.reads.map((path) => [path, inventHashes(facts.files.get(path)?.identity ?? path)]),
  );
  const draft = planRun({ ...inputs, hashes: madeUp }, { scores: new Map(), results: new Map() });
  const named = new Set(unread.map(({ where }) => where));
  const checked = [
    ...findings,
    ...unread,
    ...draft.checked.findings.filter(({ code, where }) => code !== 'file/unreadable' || !named.has(where)),
    ...steps.flatMap(({ id, step }) => (asksCuda(step) ? [noCuda(id)] : [])),
  ];
  if (refusalOf(checked)) throw refuse(checked, onFinding);
  for (const finding of checked) onFinding?.(finding);
  const { cleanup } = manifest;
  const keepTemps = options.keepTemps || cleanup.keep_intermediates || !cleanup.temp_files;
  const hashes = access ? await hashAll(facts, access) : madeUp;
  const found = { ...inputs, hashes, keepTemps: options.keepTemps };
  const plan = access ? planRun(found, { scores: new Map(), results: new Map() }) : draft;
  return { inputs: { ...found, keepTemps }, plan, warnings: checked };
}

async function hashAll(
  { files, parts }: CollectedFacts,
  access: HashAccess,
): Promise<ReadonlyMap<string, ModelHashes>> {
  const hashes = new Map<string, ModelHashes>();
  const known = new Map<string, ModelHashes>();
  for (const [path, held] of parts) {
    const identity = files.get(path)?.identity ?? path;
    const found = known.get(identity) ?? (await hashModel(held, access));
    known.set(identity, found);
    hashes.set(path, found);
  }
  return hashes;
}

/** Tells all, and gives what is to be thrown. */
function refuse(findings: readonly Finding[], onFinding: PrepareOptions['onFinding']): Error {
  for (const finding of findings) onFinding?.(finding);
  return refusalOf(findings) ?? new Error('a manifest was refused without a reason');
}

/** Beside the first output that is meant to stay. */
function tempFolder(writes: readonly string[], name: string): string {
  const first = writes.find((path) => !isInTemporaryFolder(path)) ?? '';
  return join(dirname(first), 'temp', name).replaceAll('\\', '/');
}

/** What a file is refused for, by its own code rather than as one that cannot be read. */
function problemOf(path: string, code: Parameters<typeof fail>[0], { files }: CollectedFacts): Finding {
  const { expected = 'a model file', got = 'another', hint } = files.get(path)?.problem ?? {};
  return fail(code, { where: path, expected, got, ...(hint !== undefined && { hint }) });
}

function inventHashes(identity: string): ModelHashes {
  return { dataSha256: hashText(`data ${identity}`), sha256: hashText(`file ${identity}`) };
}

function asksCuda(step: object): boolean {
  return 'device' in step && step.device === 'cuda';
}

function noCuda(step: string): Finding {
  const got = 'none that this program can use';
  return caution('pipeline/device', { step, where: 'device', expected: 'a CUDA device', got });
}
