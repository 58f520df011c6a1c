/**
 * One merge in a process of its own, started as the command is: its argument is a case as JSON. Prints the most memory
 * it had, in MB.
 */
import { enableCompileCache } from 'node:module';

const { files, out, dtype, elements, method, threads, flush, hashOutput, resumable, compiled } = JSON.parse(
  process.argv[2] ?? '{}',
);
enableCompileCache(compiled);
const { layoutTensors } = await import('../../../nodes/formats/safetensors/layout.ts');
const { runJob } = await import('../../../bridge/merge/run-job.ts');
const { jobLike, shapesLikeSd15 } = await import('./models.ts');
const shapes = shapesLikeSd15(dtype, elements);
const layout = layoutTensors(shapes, new Map());
const { signal } = new AbortController();
await runJob(jobLike(files, shapes, layout, method), {
  out,
  threads,
  flush,
  hashOutput,
  resumable,
  memoryBytes: 2 ** 30,
  signal,
});
process.stdout.write(`${(process.resourceUsage().maxRSS * 1024) / 1e6}\n`);
