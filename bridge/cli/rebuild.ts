import { Command } from 'commander';
import { refuseTaken } from '../local/write-file.ts';
import { rebuildFile } from '../pipeline/rebuild-file.ts';
import type { CommandContext } from './command-context.ts';
import { addMachineOptions, type MachineOptions, withHashes } from './merge-machine.ts';
import { showProgress } from './pipeline-progress.ts';
import { formatReport } from './pipeline-table.ts';
import { collect } from './trace-options.ts';

type RebuildOptions = MachineOptions & {
  readonly models: readonly string[];
  readonly out: string;
  readonly force?: boolean;
};

/** `lineage rebuild FILE`: makes a merged file again from its sources, byte for byte. */
export function rebuildCommand(context: CommandContext): Command {
  const command = new Command('rebuild')
    .description('make a merged file again from its sources, the same bytes')
    .argument(
      '<file>',
      'a file that Lineage merged, whole: only its header is read, but what was cut short is refused',
    )
    .requiredOption('--models <folder>', 'where sources may lie; may be repeated', collect, [])
    .requiredOption('--out <file>', 'where to write')
    .option('--force', 'replace an existing file');
  return addMachineOptions(command).action((file: string, options: RebuildOptions) =>
    rebuild(file, options, context),
  );
}

async function rebuild(file: string, options: RebuildOptions, context: CommandContext): Promise<void> {
  if (!options.force) await refuseTaken(options.out);
  const progress = showProgress(context.terminal);
  try {
    const report = await withHashes(context, (access) =>
      rebuildFile({
        file,
        folders: options.models,
        out: options.out,
        threads: options.threads,
        memoryBytes: options.memory,
        access,
        onEvent: progress.show,
      }),
    );
    progress.stop();
    context.terminal.print(options.json ? JSON.stringify(report) : formatReport(report));
  } finally {
    progress.stop();
  }
}
