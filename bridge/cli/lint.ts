import { Command, Option } from 'commander';
import { LineageError } from '../../nodes/kit/errors.ts';
import { visibleText } from '../../nodes/kit/visible-text.ts';
import { LINT_RULES, lintPicture } from '../../nodes/metadata/lint/lint-picture.ts';
import {
  type LintFinding,
  type LintRule,
  SEVERITIES,
  type Severity,
} from '../../nodes/metadata/lint/lint-rule.ts';
import { type LintedFile, toSarif } from '../../nodes/metadata/lint/sarif.ts';
import manifest from '../../package.json' with { type: 'json' };
import { readFileChecked } from '../local/read-file.ts';
import type { CommandContext } from './command-context.ts';
import { MAX_IMAGE_BYTES } from './graph-source.ts';
import { listPictures } from './picture-files.ts';

type LintOptions = {
  readonly level: Severity;
  readonly recursive?: boolean;
  readonly rules?: boolean;
  readonly json?: boolean;
  readonly sarif?: boolean;
};

/** `lineage lint FILE...`: what each reader would lose of pictures, and why. */
export function lintCommand(context: CommandContext): Command {
  return new Command('lint')
    .description('say what each reader would lose of pictures, and why; status 4 where something is found')
    .argument('[paths...]', 'PNG, JPEG, WebP and AVIF files, or folders of them')
    .addOption(
      new Option('--level <severity>', 'the least that counts as found')
        .choices(SEVERITIES)
        .default('warning'),
    )
    .option('--recursive', 'of a folder, the pictures of its sub folders too')
    .option('--rules', 'list the rules, and look at nothing')
    .option('--json', 'print one JSON document')
    .option('--sarif', 'print one SARIF 2.1.0 document')
    .action((paths: readonly string[], options: LintOptions) => lint(paths, options, context));
}

async function lint(paths: readonly string[], options: LintOptions, context: CommandContext): Promise<void> {
  const { terminal, signal, noteFinding } = context;
  if (options.json && options.sarif)
    throw new LineageError('option/conflict', 'expected one form, got --json and --sarif', {
      option: '--sarif',
    });
  if (options.rules) {
    terminal.print(options.json ? JSON.stringify({ rules: LINT_RULES.map(plainRule) }) : ruleTable());
    return;
  }
  if (paths.length === 0)
    throw new LineageError('option/invalid', 'expected files or folders, got none', { option: 'paths' });
  const files: LintedFile[] = [];
  for (const { path } of await listPictures(paths, options.recursive === true)) {
    signal.throwIfAborted();
    const all = lintPicture(await readFileChecked(path, MAX_IMAGE_BYTES));
    const findings = all.filter(
      ({ rule }) => SEVERITIES.indexOf(rule.severity) >= SEVERITIES.indexOf(options.level),
    );
    files.push({ file: path, findings });
    if (!options.json && !options.sarif)
      for (const finding of findings) terminal.print(lineOf(path, finding));
  }
  const total = files.reduce((sum, { findings }) => sum + findings.length, 0);
  if (total > 0) noteFinding();
  if (options.sarif) terminal.print(JSON.stringify(toSarif(files, LINT_RULES, TOOL)));
  else if (options.json) terminal.print(JSON.stringify({ files: files.map(plainFile) }));
  else terminal.note(`${files.length} ${files.length === 1 ? 'picture' : 'pictures'}, ${total} found`);
}

const TOOL = {
  name: 'Lineage',
  version: manifest.version,
  informationUri: 'https://github.com/lineage-nodes/lineage-nodes',
};

function lineOf(file: string, { rule, what, message }: LintFinding): string {
  const { id, severity, action } = rule;
  return visibleText(`${file}: ${severity} ${id} ${what}: ${message}. ${action}`);
}

function plainFile({ file, findings }: LintedFile): object {
  return {
    file,
    findings: findings.map(({ rule, what, message }) => ({ ...plainRule(rule), what, message })),
  };
}

function plainRule({ id, name, severity, reader, reason, action }: LintRule): object {
  return { id, name, severity, ...(reader && { reader }), reason, action };
}

function ruleTable(): string {
  return LINT_RULES.map(
    ({ id, name, severity, reason, action }) =>
      `${id} ${severity.padEnd(7)} ${name}\n     ${reason}\n     ${action}`,
  ).join('\n');
}
