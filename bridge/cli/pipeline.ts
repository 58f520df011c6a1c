import { basename, dirname, extname, resolve } from 'node:path';
import { Command } from 'commander';
import { LineageError } from '../../nodes/kit/errors.ts';
import { readManifestFile } from '../pipeline/read-manifest-file.ts';
import type { CommandContext } from './command-context.ts';
import { addMachineOptions, type MachineOptions } from './merge-machine.ts';
import { runManifest } from './run-manifest.ts';

/** Options of every command that runs a manifest. */
export type ManifestOptions = MachineOptions & {
  readonly fromStep?: string;
  readonly dryRun?: boolean;
  readonly keepTemps?: boolean;
  readonly force?: boolean;
  readonly staged?: boolean;
  readonly fused?: boolean;
};

/** `lineage pipeline --manifest FILE`: merges in many steps. */
export function pipelineCommand(context: CommandContext): Command {
  const command = new Command('pipeline')
    .description('run a merge pipeline of many steps; what is there already is not made again')
    .requiredOption('--manifest <file>', 'the pipeline, in JSON or YAML; its paths are relative to it')
    .option('--from-step <id>', 'make this step and all that use it anew; what comes before must be there');
  return addMachineOptions(addManifestOptions(command)).action(
    (options: ManifestOptions & { readonly manifest: string }) =>
      runManifestFile(options.manifest, options, context),
  );
}

export function addManifestOptions(command: Command): Command {
  return command
    .option('--dry-run', 'check everything and say what would be read and written; write nothing')
    .option('--keep-temps', 'keep the results in between')
    .option('--force', 'replace an output that no merge made')
    .option('--staged', 'round every result in between as if it were written (default)')
    .option('--fused', 'keep results in between in fp32, and never write them');
}

/** Runs the manifest of a file. */
export async function runManifestFile(
  file: string,
  options: ManifestOptions,
  context: CommandContext,
): Promise<void> {
  const mode = modeOf(options);
  const manifest = await readManifestFile(file);
  const run = {
    ...options,
    manifest,
    folder: dirname(resolve(file)),
    name: basename(file, extname(file)),
    mode,
    keepTemps: options.keepTemps === true,
    dryRun: options.dryRun === true,
  };
  await runManifest(run, context);
}

/** @throws LineageError `option/conflict` */
export function modeOf({ staged, fused }: Pick<ManifestOptions, 'staged' | 'fused'>): 'staged' | 'fused' {
  if (staged && fused)
    throw new LineageError('option/conflict', 'expected --staged or --fused, got both', {
      option: '--fused',
    });
  return fused ? 'fused' : 'staged';
}
