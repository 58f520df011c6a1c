import { resolve } from 'node:path';
import { runPipeline } from '../pipeline/run-pipeline.ts';
import type { CommandContext } from './command-context.ts';
import { dryRun } from './dry-run.ts';
import { type MachineOptions, withHashes } from './merge-machine.ts';
import { showProgress } from './pipeline-progress.ts';
import { formatReport } from './pipeline-table.ts';

/** A manifest, and how it is to be run. */
export type ManifestRun = MachineOptions & {
  /** What a parser gave. */
  readonly manifest: unknown;
  /** What its paths are relative to. */
  readonly folder: string;
  /** Of the folder of temporary files. */
  readonly name: string;
  readonly mode: 'staged' | 'fused';
  readonly keepTemps: boolean;
  readonly dryRun: boolean;
  /** Replaces files that no merge made. */
  readonly force?: boolean;
  readonly fromStep?: string;
};

/** Runs a manifest, shows how it goes, and prints what became of it. */
export async function runManifest(run: ManifestRun, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const pathOf = (spelled: string): string => resolve(run.folder, spelled);
  if (run.dryRun) return await dryRun({ ...run, pathOf }, terminal);
  const progress = showProgress(terminal);
  try {
    const report = await withHashes(context, (access, scoresFolder) =>
      runPipeline({
        manifest: run.manifest,
        pathOf,
        name: run.name,
        mode: run.mode,
        keepTemps: run.keepTemps,
        threads: run.threads,
        memoryBytes: run.memory,
        access,
        scoresFolder,
        onEvent: progress.show,
        ...(run.force && { force: true }),
        ...(run.fromStep !== undefined && { fromStep: run.fromStep }),
      }),
    );
    progress.stop();
    terminal.print(run.json ? JSON.stringify(report) : formatReport(report));
    if (report.steps.some(({ found }) => found?.scores['outcome'] === 'failed')) context.noteFinding();
  } finally {
    progress.stop();
  }
}
