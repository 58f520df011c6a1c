import { guardOutputs, outputsOf } from '../pipeline/guard-output.ts';
import { measureDisk } from '../pipeline/measure-disk.ts';
import { type Prepared, preparePipeline } from '../pipeline/prepare-pipeline.ts';
import { scopeOfRun } from '../pipeline/scope-of-run.ts';
import { showProgress } from './pipeline-progress.ts';
import { formatBytes, formatSeconds } from './sizes.ts';
import type { Terminal } from './terminal.ts';

/** What is to be planned, and how it would be run. */
export type DryRun = {
  readonly manifest: unknown;
  pathOf(spelled: string): string;
  readonly name: string;
  readonly mode: 'staged' | 'fused';
  readonly keepTemps: boolean;
  readonly threads: number;
  readonly force?: boolean;
  readonly fromStep?: string;
  readonly json?: boolean;
};

/**
 * Checks everything, hashes and writes nothing, and prints what a run with nothing there yet would do.
 *
 * @throws LineageError as the run itself would before it writes, but for what only hashes tell
 */
export async function dryRun(run: DryRun, terminal: Terminal): Promise<void> {
  const progress = showProgress(terminal);
  const prepared = await preparePipeline(
    { ...run, onFinding: (finding) => progress.show({ kind: 'finding', finding }) },
    undefined,
  );
  scopeOfRun(prepared.inputs.laidOut.steps, run.fromStep);
  await guardOutputs(outputsOf(prepared.plan.checked.steps, run.pathOf), run);
  const document = await planDocument(prepared);
  terminal.print(run.json ? JSON.stringify(document) : formatPlan(document));
}

async function planDocument({ inputs, plan, warnings }: Prepared) {
  const steps = plan.checked.steps.map(({ flat, runs, writes, output }) => {
    const estimate = plan.checked.estimates.get(flat.id);
    return {
      id: flat.id,
      type: flat.step.type,
      runs,
      writes,
      ...(output && { path: output.path, isTemporary: output.isTemporary }),
      ...(estimate && { ...estimate }),
    };
  });
  const sum = (what: 'readBytes' | 'writeBytes'): number =>
    steps.reduce((total, step) => total + (step[what] ?? 0), 0);
  const [readBytes, writeBytes] = [sum('readBytes'), sum('writeBytes')];
  const bytesPerSecond = await measureDisk([...inputs.facts.parts.values()].flat());
  return {
    mode: inputs.mode,
    steps,
    readBytes,
    writeBytes,
    peakMemoryBytes: Math.max(0, ...steps.map((step) => step.peakMemoryBytes ?? 0)),
    peakDiskBytes: Math.max(0, ...plan.checked.disks.map(({ duringBytes }) => duringBytes)),
    ...(bytesPerSecond !== undefined && { seconds: (readBytes + writeBytes) / bytesPerSecond }),
    warnings,
  };
}

function formatPlan(plan: Awaited<ReturnType<typeof planDocument>>): string {
  const lines = plan.steps.map((step) => {
    const where = step.path === undefined ? '' : ` -> ${step.path}${step.isTemporary ? ' (temporary)' : ''}`;
    if (step.runs === 'no') return `${step.id} (${step.type}): another branch is taken`;
    if (step.writes === 'fused') return `${step.id} (${step.type}): part of the steps that use it`;
    if (step.readBytes === undefined || step.writeBytes === undefined)
      return `${step.id} (${step.type})${where}: its size is known when it runs`;
    const bytes = `reads ${formatBytes(step.readBytes)}, writes ${formatBytes(step.writeBytes)}`;
    const open = step.runs === 'open' ? ', if what is found says so' : '';
    return `${step.id} (${step.type})${where}: ${bytes}${open}`;
  });
  const { seconds } = plan;
  return [
    ...lines,
    `In all: reads ${plan.readBytes} bytes, writes ${plan.writeBytes} bytes${
      seconds === undefined ? '' : `, about ${formatSeconds(seconds)}`
    }`,
    `At most: ${formatBytes(plan.peakMemoryBytes)} of memory, ${formatBytes(plan.peakDiskBytes)} more on the disk`,
    'Nothing was written. Results that are there already will not be made again.',
  ].join('\n');
}
