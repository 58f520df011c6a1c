import { layoutTensors } from '../../nodes/formats/safetensors/layout.ts';
import type { MergeJob, Operand, OutputTensor } from '../../nodes/merge/job.ts';
import { writeFileAtomic } from '../local/write-file.ts';
import { openWeights } from '../merge/open-weights.ts';
import { type JobOptions, runJob } from '../merge/run-job.ts';
import type { HashAccess } from './identify-models.ts';
import { type MadeOutput, makeSealedFile, type UnsealedFile } from './make-sealed-file.ts';
import type { ExpectedFile, ExpectedOutput } from './output-state.ts';

export type MakeOutputOptions = Omit<JobOptions, 'out' | 'hashOutput'> & {
  readonly access: HashAccess;
  /** Sees the hash of a result of one file before it gets its name; what it throws leaves what had the name. */
  accept?(dataSha256: string): void;
};

/**
 * Makes the files of a result, each with the hash of its data in its header. A file has its name when all of it is
 * there. What was stopped or killed goes on from where it was.
 *
 * @param job paths are absolute; its metadata holds the placeholder of the hash.
 * @throws as `runJob`
 */
export async function makeOutput(
  job: MergeJob,
  { files, index }: ExpectedOutput,
  options: MakeOutputOptions,
): Promise<MadeOutput> {
  const tensors = new Map(job.tensors.map((tensor) => [tensor.name, tensor]));
  const made: MadeOutput[] = [];
  for (const file of files) {
    const part = (file.tensors ?? []).flatMap(({ name }) => tensors.get(name) ?? []);
    const shared = files.length > 1 ? sharedProgress(options, made, job) : options;
    const { accept: _, ...each } = shared;
    made.push(await makeFile({ ...job, tensors: part }, file, files.length > 1 ? each : shared));
  }
  if (index) await writeFileAtomic(index.path, index.bytes, { replace: true });
  return {
    bytes: made.reduce((sum, { bytes }) => sum + bytes, index?.bytes.length ?? 0),
    dataSha256: made.flatMap(({ dataSha256 }) => dataSha256),
    damage: new Map(made.flatMap(({ damage }) => [...damage])),
    resumed: made.reduce((sum, { resumed }) => sum + resumed, 0),
  };
}

/** Of several files the bytes of those that are done count on. */
function sharedProgress(
  options: MakeOutputOptions,
  made: readonly MadeOutput[],
  job: MergeJob,
): MakeOutputOptions {
  const { progress } = options;
  if (!progress) return options;
  const { header, dataBytes } = layoutTensors(job.tensors, job.metadata);
  const before = made.reduce((sum, { bytes }) => sum + bytes, 0);
  return { ...options, progress: (done) => progress(before + done, header.length + dataBytes) };
}

async function makeFile(job: MergeJob, file: ExpectedFile, options: MakeOutputOptions): Promise<MadeOutput> {
  const { access, accept, ...run } = options;
  const { header, dataBytes } = layoutTensors(job.tensors, job.metadata);
  const fill = async (unsealed: string): Promise<UnsealedFile> => {
    const { hashes, damage, resumed } = await runJob(job, { ...run, out: unsealed, hashOutput: true });
    if (!hashes) throw new Error('a file was made and not hashed');
    const { dataSha256 } = hashes;
    return { header, bytes: header.length + dataBytes, dataSha256, damage, resumed };
  };
  return await makeSealedFile(file.path, access, fill, accept);
}

/** The same tensors as a file has, to be written again with other texts in the header. */
export async function copyJob(path: string, metadata: ReadonlyMap<string, string>): Promise<MergeJob> {
  const weights = await openWeights(path);
  const tensors = [...weights.tensors].map(([name, { dtype, shape, offset }]): OutputTensor => {
    const value: Operand = { kind: 'stored', file: 0, dtype, shape, offset };
    return { name, dtype, shape, value };
  });
  return { files: [path], tensors, metadata, notFinite: 'keep' };
}
