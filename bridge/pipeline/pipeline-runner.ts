import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { type ErrorCode, isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import type { ModelStore } from '../../nodes/kit/host.ts';
import type {
  PipelineRequest,
  PipelineResult,
  PipelineRunner,
  RanStep,
} from '../../nodes/kit/pipeline-runner.ts';
import { aimManifest, resultOf, resultPath } from '../../nodes/pipeline/aim-manifest.ts';
import { describeFinding } from '../../nodes/pipeline/finding.ts';
import type { Manifest } from '../../nodes/pipeline/manifest.ts';
import { readManifest } from '../../nodes/pipeline/read-manifest.ts';
import { toCanonicalJson } from '../../nodes/pipeline/step-key.ts';
import { createFileHasher } from '../local/hash-file.ts';
import { hashText } from '../local/hash-text.ts';
import { createMemoryLedger, openLedger } from '../local/ledger.ts';
import { cleanName } from '../local/output-name.ts';
import { resolveForWriting } from '../local/resolve-inside.ts';
import { removeIfThere } from '../local/write-file.ts';
import { openWeights } from '../merge/open-weights.ts';
import { STEP_KEY } from './describe-steps.ts';
import { locate } from './locate.ts';
import { lookUpModels } from './look-up-models.ts';
import type { RunOptions } from './open-run.ts';
import type { PipelineEvent, PipelineReport, StepOutcome } from './pipeline-report.ts';
import { preparePipeline } from './prepare-pipeline.ts';
import { parseManifestText } from './read-manifest-file.ts';
import { refusalOf } from './refuse.ts';
import { runPipeline } from './run-pipeline.ts';

/** Below the output folder: where ComfyUI lists checkpoints too. */
export const MERGED_FOLDER = 'checkpoints';

/** What graphs may merge: the machine's models, into its output folder. */
export type RunnerOptions = {
  readonly models: ModelStore;
  /** The output folder; absolute. */
  readonly output: string;
  /** undefined: hashes are kept as long as this is open. */
  readonly ledgerFile: string | undefined;
  /** Gets at most one `ledger/unusable`, and `file/unreadable` for what lies in the folder; the work goes on. */
  readonly warn: (error: LineageError) => void;
};

/** For tensors that are made as a whole. */
const MEMORY_BYTES = 512 << 20;
const MAX_NAMES = 10_000;
/** Of a bar, for each step. */
const STEP_TICKS = 1000;

/**
 * Runs the merges of graphs, one after the other. A manifest is untrusted: it names models of the machine's folders
 * and nothing else, and what it makes goes into one folder, under a name that was free.
 */
export function createPipelineRunner(options: RunnerOptions): PipelineRunner & { close(): Promise<void> } {
  let opened:
    | { readonly ledger: RunOptions['access']['ledger']; readonly hasher: RunOptions['access']['hasher'] }
    | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  function open() {
    opened ??= {
      ledger:
        options.ledgerFile === undefined
          ? createMemoryLedger()
          : openLedger(options.ledgerFile, options.warn),
      hasher: createFileHasher(),
    };
    return opened;
  }

  return {
    run(request) {
      // Two at once would only share the disk; and a name is free until its file is there.
      const mine = turn.then(() => {
        request.signal.throwIfAborted();
        return runOne(request, options, { ...open(), signal: request.signal });
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
    async close() {
      await turn;
      await opened?.hasher.close();
      opened?.ledger.close();
    },
  };
}

async function runOne(
  request: PipelineRequest,
  { models, output, warn }: RunnerOptions,
  access: RunOptions['access'],
): Promise<PipelineResult> {
  const manifest = readUntrusted(request.manifest);
  const sources = await lookUpModels(manifest, models);
  const stem = stemOf(
    request.outputName ?? basename(resultPath(manifest)?.replaceAll('\\', '/') ?? 'merged'),
  );
  const result = request.result ?? resultOf(manifest);
  const aimed = (file: string) => ({
    manifest: aimManifest(manifest, {
      result,
      path: `${MERGED_FOLDER}/${file}`,
      ...(request.precision !== undefined && { precision: request.precision }),
    }),
    pathOf: (spelled: string) => sources.get(spelled) ?? resolve(output, spelled),
    // The same merge has the same temporary files: one that was stopped goes on.
    name: `lineage-${hashText(toCanonicalJson(manifest)).slice(0, 16)}`,
    mode: 'staged' as const,
    keepTemps: false,
    threads: availableParallelism(),
    memoryBytes: MEMORY_BYTES,
    access,
  });

  const first = nameAt(stem, 1);
  const { plan } = await preparePipeline(aimed(first), access);
  const last = plan.steps.has(`${result}_output`) ? `${result}_output` : result;
  const free = await chooseName(output, stem, plan.descriptions.key(last), warn);
  const report = await runPipeline({
    ...aimed(free.name),
    // A picture may name the file by its hash: what its header says stays, whatever steps are called today.
    textsOf: (id) => (id === last ? free.texts : undefined),
    ...(request.progress && { onEvent: toProgress(request.progress) }),
  });
  const taken = await takeEarlier(output, stem, free, warn);
  const { sha256: hash } = await models.hash(taken.file, request.signal);
  const { name, file } = taken;
  return { name, file, report: await toReport(taken, report, hash) };
}

/** @throws LineageError `pipeline/malformed` */
function readUntrusted(given: unknown): Manifest {
  const parsed = typeof given === 'string' ? parseManifestText(given, 'manifest') : given;
  const { manifest, findings } = readManifest(parsed);
  if (manifest) return manifest;
  throw refusalOf(findings) ?? new Error('a manifest was refused without a reason');
}

/** @throws LineageError `output/outside` for a path */
function stemOf(name: string): string {
  if (/[/\\]/.test(name))
    throw new LineageError('output/outside', `expected a name, got a path: ${JSON.stringify(name)}`);
  return cleanName(name.replace(/\.safetensors$/i, ''));
}

function nameAt(stem: string, number: number): string {
  return `${stem}${number === 1 ? '' : `_${String(number).padStart(5, '0')}`}.safetensors`;
}

/** What a file is that holds no tensors, or is gone meanwhile. */
const NO_WEIGHTS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'file/missing',
  'safetensors/malformed',
  'safetensors/index',
  'weights/pickle',
]);

type Named = { readonly name: string; readonly file: string };

/** The first name of this stem that is free, or whose file has this key; then with the texts of its header. */
async function chooseName(
  output: string,
  stem: string,
  key: string,
  warn: RunnerOptions['warn'],
): Promise<Named & { readonly texts?: ReadonlyMap<string, string> }> {
  for await (const { name, file, exists } of namesOf(output, stem)) {
    if (!exists) return { name, file };
    const texts = await textsOf(file, warn);
    if (texts?.get(STEP_KEY) === key) return { name, file, texts };
  }
  throw new LineageError('output/exhausted', `expected a free number up to ${MAX_NAMES}, got none`, {
    file: stem,
  });
}

/** What a condition decides is known only now: where an earlier file has the same key, that one stays. */
async function takeEarlier(
  output: string,
  stem: string,
  made: Named,
  warn: RunnerOptions['warn'],
): Promise<Named> {
  const key = (await textsOf(made.file, warn))?.get(STEP_KEY);
  for await (const { name, file, exists } of namesOf(output, stem)) {
    if (file === made.file || !exists) return made;
    if (key === undefined || (await textsOf(file, warn))?.get(STEP_KEY) !== key) continue;
    await removeIfThere(made.file);
    return { name, file };
  }
  return made;
}

async function* namesOf(output: string, stem: string): AsyncGenerator<Named & { readonly exists: boolean }> {
  for (let number = 1; number <= MAX_NAMES; number++) {
    const name = nameAt(stem, number);
    const { folder } = await resolveForWriting(output, `${MERGED_FOLDER}/${name}`);
    const file = join(folder, name);
    yield { name, file, exists: (await locate(file)).exists };
  }
}

/** Of the header; undefined for a file that holds no tensors, and for one that nobody may read, which is told. */
async function textsOf(
  file: string,
  warn: RunnerOptions['warn'],
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    return (await openWeights(file)).metadata;
  } catch (error) {
    if (!isLineageError(error)) throw error;
    if (!NO_WEIGHTS.has(error.code)) warn(error);
    return undefined;
  }
}

function toProgress(progress: (value: number, total: number) => void): (event: PipelineEvent) => void {
  let [over, steps] = [0, 1];
  return (event) => {
    if (event.kind === 'step-start' || event.kind === 'step-end') [over, steps] = [event.done, event.of];
    if (event.kind === 'finding' || event.kind === 'hashing') return;
    const share = event.kind === 'step-progress' ? event.doneBytes / Math.max(1, event.totalBytes) : 0;
    progress(Math.floor((over + Math.min(1, share)) * STEP_TICKS), steps * STEP_TICKS);
  };
}

const STATES: Readonly<Record<StepOutcome, RanStep['state']>> = {
  made: 'made',
  reported: 'made',
  fused: 'made',
  cached: 'taken',
  relabelled: 'taken',
  'not-needed': 'taken',
  'passed-over': 'skipped',
};

async function toReport(
  { name, file }: Named,
  { steps, warnings, milliseconds }: PipelineReport,
  hash: string,
): Promise<PipelineResult['report']> {
  return {
    name,
    sha256: hash,
    bytes: (await openWeights(file)).bytes,
    seconds: milliseconds / 1000,
    steps: steps.map(({ id, type, outcome, bytes, milliseconds: took = 0, found }) => ({
      id,
      type,
      state: STATES[outcome],
      seconds: took / 1000,
      ...(bytes !== undefined && { bytes }),
      ...(found && { scores: found.scores }),
    })),
    warnings: warnings.filter(({ level }) => level === 'warning').map(describeFinding),
  };
}
