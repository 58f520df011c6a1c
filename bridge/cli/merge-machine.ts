import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { caution, type Finding } from '../../nodes/pipeline/finding.ts';
import { createFileHasher } from '../local/hash-file.ts';
import { homeFolder, ledgerIn } from '../local/home.ts';
import { openLedger } from '../local/ledger.ts';
import type { HashAccess } from '../pipeline/identify-models.ts';
import type { PipelineReport } from '../pipeline/pipeline-report.ts';
import type { CommandContext } from './command-context.ts';
import { integerBetween } from './trace-options.ts';

/** Options of every command that merges. */
export type MachineOptions = {
  readonly threads: number;
  readonly memory: number;
  readonly json?: boolean;
};

const MAX_THREADS = 256;
const DEFAULT_MEMORY = 1 << 30;
const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

export function addMachineOptions(command: Command): Command {
  return command
    .option(
      '--threads <n>',
      'threads that compute; the result is the same for any number',
      integerBetween(1, MAX_THREADS),
      Math.min(MAX_THREADS, availableParallelism()),
    )
    .addOption(
      new Option('--memory <bytes>', 'for tensors that must be held whole; K, M or G may follow the number')
        .argParser(readBytes)
        .default(DEFAULT_MEMORY, '1G'),
    )
    .option('--json', 'print one JSON document');
}

/** @throws InvalidArgumentError, which commander turns into a usage error */
function readBytes(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMG]?)i?B?$/i.exec(text) ?? [];
  const bytes = Math.round(Number(number) * (UNITS[unit.toUpperCase()] ?? Number.NaN));
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new InvalidArgumentError(`expected a number of bytes such as 512M or 2G, got ${text}`);
}

/**
 * Runs a pipeline with this user's ledger of hashes, and lets go of it behind.
 *
 * @param run gets the hashes, and the folder where findings of steps are kept.
 * @returns its report; a ledger that could not be used is among the warnings
 */
export async function withHashes(
  { terminal, signal }: CommandContext,
  run: (access: HashAccess, scoresFolder: string) => Promise<PipelineReport>,
): Promise<PipelineReport> {
  const home = homeFolder();
  const warnings: Finding[] = [];
  const ledger = openLedger(ledgerIn(home), ({ message }) => {
    terminal.note(`warning [ledger/unusable] ${home}: ${message}`);
    const expected = 'a ledger of hashes that can be used';
    warnings.push(caution('ledger/unusable', { where: home, expected, got: message }));
  });
  const hasher = createFileHasher();
  try {
    const report = await run({ ledger, hasher, signal }, join(home, 'scores'));
    return { ...report, warnings: [...warnings, ...report.warnings] };
  } finally {
    await hasher.close();
    ledger.close();
  }
}
