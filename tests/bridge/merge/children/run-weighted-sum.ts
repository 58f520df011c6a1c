/**
 * Merges a.safetensors and b.safetensors of a folder into out.safetensors, in small steps, with an entry in the journal
 * every few milliseconds: to be killed on the way. Writes `started` when it is about to begin, and `done` at the end.
 */
import { join } from 'node:path';
import { runJob } from '../../../../bridge/merge/run-job.ts';
import { isLineageError } from '../../../../nodes/kit/errors.ts';
import { openModel, weightedSumJob } from '../small-models.ts';

const [folder = '', unitBytes = '4096'] = process.argv.slice(2);
const pair = ['a', 'b'].map((name) => openModel(join(folder, `${name}.safetensors`)));
process.stdout.write('started\n');
try {
  await runJob(weightedSumJob(pair, 0.3), {
    out: join(folder, 'out.safetensors'),
    threads: 2,
    memoryBytes: 2 ** 28,
    signal: new AbortController().signal,
    unitBytes: Number(unitBytes),
    checkpointMs: 5,
  });
  process.stdout.write('done\n');
} catch (error) {
  if (!isLineageError(error)) throw error;
  process.stdout.write(`${error.code}\n`);
}
