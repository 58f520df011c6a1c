import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Runtime, startRuntime } from '../../bridge/embedded/start-runtime.ts';
import { layModels } from './golden/models.ts';

/** Our runtime with the nodes that the suite and the script need. */
export type TestRuntime = Runtime & {
  /** A file of its output folder. */
  readOutput(name: string): Buffer;
};

/** Starts it over an empty folder that goes with `close`. */
export async function startTestRuntime(): Promise<TestRuntime> {
  const base = mkdtempSync(join(tmpdir(), 'lineage-runtime-'));
  layModels(join(base, 'models'));
  const runtime = await startRuntime({
    base,
    models: [join(base, 'models')],
    nodes: [join(import.meta.dirname, 'nodes'), join(import.meta.dirname, 'golden', 'nodes')],
    port: 0,
    store: ':memory:',
  });
  return {
    ...runtime,
    readOutput: (name) => readFileSync(join(base, 'output', name)),
    async close() {
      await runtime.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}
