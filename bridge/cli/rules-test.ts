import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { visibleText } from '../../nodes/kit/visible-text.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';
import { checkFixture } from '../../nodes/metadata/rules/check-fixture.ts';
import { readFileChecked } from '../local/read-file.ts';
import { codeOf, reasonOf } from '../local/system-error.ts';
import type { CommandContext } from './command-context.ts';
import { openRules } from './open-rules.ts';
import { noteWarnings } from './terminal.ts';
import { collect, RULES_HELP } from './trace-options.ts';

type TestFlags = { readonly rules?: readonly string[]; readonly show?: boolean; readonly json?: boolean };
type Outcome = {
  readonly name: string;
  readonly differences: readonly string[];
  readonly parameters?: string;
};

const MAX_BYTES = 64 * 1024 * 1024;

/** `lineage rules test FOLDER`: whether graphs mean what their folders say, by the rules that count. */
export function rulesTestCommand(context: CommandContext): Command {
  return new Command('test')
    .description('run rule fixtures: folders with a graph and what it must mean')
    .argument('<folder>', 'a folder with prompt.json, or a folder of such folders')
    .option('--rules <path>', RULES_HELP, collect)
    .option('--show', 'print the text that each picture would carry')
    .option('--json', 'print one JSON document')
    .action((folder: string, flags: TestFlags) => test(folder, flags, context));
}

async function test(
  folder: string,
  flags: TestFlags,
  { terminal, noteFinding }: CommandContext,
): Promise<void> {
  const { warn, list: warnings } = createWarningLog();
  const outcomes: Outcome[] = [];
  for (const name of await casesIn(folder))
    outcomes.push(await runCase(join(folder, name), name, flags, warn));
  const failed = outcomes.filter(({ differences }) => differences.length > 0);
  if (failed.length > 0) noteFinding();
  if (flags.json) terminal.print(JSON.stringify({ outcomes, warnings }));
  else {
    for (const { name, differences, parameters } of outcomes) {
      terminal.print(`${differences.length === 0 ? 'passed' : 'FAILED'} ${visibleText(name || folder)}`);
      for (const line of differences) terminal.print(`  ${visibleText(line)}`);
      if (flags.show && parameters !== undefined) terminal.print(parameters);
    }
  }
  terminal.note(`${outcomes.length - failed.length} of ${outcomes.length} passed`);
  noteWarnings(warnings, terminal);
}

/** Names of the folders with a graph; '' for the folder itself. @throws LineageError `file/missing` without any */
async function casesIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    if (entries.some(({ name }) => name === 'prompt.json')) return [''];
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const hasGraph = await Promise.all(
      names.map(async (name) => (await readdir(join(folder, name))).includes('prompt.json')),
    );
    const cases = names.filter((_, index) => hasGraph[index]).sort();
    if (cases.length > 0) return cases;
  } catch (error) {
    const code =
      codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' ? 'file/missing' : 'file/unreadable';
    throw new LineageError(code, reasonOf(error), { file: folder }, { cause: error });
  }
  throw new LineageError('file/missing', 'expected a folder with prompt.json, or of such folders, got none', {
    file: folder,
  });
}

async function runCase(folder: string, name: string, flags: TestFlags, warn: WarningSink): Promise<Outcome> {
  const read = async (file: string): Promise<string | undefined> => {
    try {
      return new TextDecoder().decode(await readFileChecked(join(folder, file), MAX_BYTES));
    } catch (error) {
      if (isLineageError(error, 'file/missing')) return undefined;
      throw error;
    }
  };
  const rules = [...(flags.rules ?? []), ...(await ownRules(folder))];
  const book = await openRules(rules, warn);
  const [workflow, about, expected, parameters] = await Promise.all(
    ['workflow.json', 'case.json', 'expected.json', 'parameters.txt'].map(read),
  );
  const fixture = {
    prompt: (await read('prompt.json')) ?? '',
    ...(workflow !== undefined && { workflow }),
    ...(about !== undefined && { case: about }),
    ...(expected !== undefined && { expected }),
    ...(parameters !== undefined && { parameters }),
  };
  try {
    const checked = checkFixture(fixture, book);
    const isEmpty = expected === undefined && parameters === undefined;
    const missing = 'expected: neither expected.json nor parameters.txt is there';
    return { name, ...checked, differences: isEmpty ? [missing] : checked.differences };
  } catch (error) {
    // One bad folder must not keep the others from being run.
    if (!isLineageError(error)) throw error;
    return { name, differences: [`[${error.code}] ${error.message}`] };
  }
}

/** Rules that lie in the folder itself. */
async function ownRules(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  return ['rules.json', 'rules.yaml']
    .filter((name) => names.includes(name))
    .map((name) => join(folder, name));
}
