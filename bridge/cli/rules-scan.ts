import { Command, Option } from 'commander';
import { visibleText } from '../../nodes/kit/visible-text.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { SCAN_MODES, type ScanOptions, scanRules } from '../../nodes/metadata/rules/scan-rules.ts';
import { writeProposals, writeRulesJson } from '../../nodes/metadata/rules/write-rules.ts';
import { writeFileAtomic } from '../local/write-file.ts';
import { countUses, readShapesFile } from './class-uses.ts';
import type { CommandContext } from './command-context.ts';
import { openRules } from './open-rules.ts';
import { noteWarnings } from './terminal.ts';
import { collect, RULES_HELP } from './trace-options.ts';

type ScanFlags = {
  readonly prompt?: readonly string[];
  readonly mode: ScanOptions['mode'];
  readonly exclude?: readonly string[];
  readonly force?: readonly string[];
  readonly rules?: readonly string[];
  readonly diff?: boolean;
  readonly out?: string;
  readonly json?: boolean;
};

/** `lineage rules scan OBJECT_INFO.json`: rules that classes may have, by what they declare, for a person to look at. */
export function rulesScanCommand(context: CommandContext): Command {
  return new Command('scan')
    .description(
      'propose rules for classes that nothing knows, by what they declare; nothing uses them by itself',
    )
    .argument('<object-info>', 'what /object_info of your ComfyUI answers')
    .option('--prompt <graph>', 'only class types of this graph; may be repeated', collect)
    .addOption(
      new Option('--mode <mode>', 'classes without a rule, all, or those with one')
        .choices(SCAN_MODES)
        .default('new_only'),
    )
    .option(
      '--exclude <word>',
      'leave out classes whose names hold this, or a field; may be repeated',
      collect,
    )
    .option(
      '--force <name>',
      'scan this class whatever else is said, or a field on weak evidence; may be repeated',
      collect,
    )
    .option('--rules <path>', RULES_HELP, collect)
    .option('--diff', 'show how the proposals differ from the rules that count')
    .option('--out <file>', 'write a new file: JSON where it is called so, else YAML with the evidence')
    .option('--json', 'print one JSON document')
    .action((file: string, flags: ScanFlags) => scan(file, flags, context));
}

async function scan(file: string, flags: ScanFlags, { terminal }: CommandContext): Promise<void> {
  const { warn, list: warnings } = createWarningLog();
  const { prompt, mode, exclude = [], force = [], out } = flags;
  const shapes = await readShapesFile(file);
  const book = await openRules(flags.rules, warn);
  const uses = prompt && (await countUses(prompt, file, warn));
  const only = uses && new Set(uses.keys());
  const proposals = scanRules(shapes, book, { mode, exclude, force, ...(only && { only }) });
  const asJson = (): string =>
    writeRulesJson(Object.fromEntries(proposals.map(({ classType, rule }) => [classType, rule])));
  if (out !== undefined) {
    const text = out.toLowerCase().endsWith('.json') ? asJson() : writeProposals(proposals);
    await writeFileAtomic(out, new TextEncoder().encode(text), { replace: false });
  }
  if (flags.json) terminal.print(JSON.stringify({ proposals, warnings }));
  else if (flags.diff) {
    for (const { classType, diff } of proposals)
      terminal.print([classType, ...diff.map((line) => `  ${line}`)].map(visibleText).join('\n'));
  } else if (out === undefined) terminal.print(writeProposals(proposals).trimEnd());
  terminal.note(`proposals: ${proposals.length}, of ${shapes.length} classes`);
  noteWarnings(warnings, terminal);
}
