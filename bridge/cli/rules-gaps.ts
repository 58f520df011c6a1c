import { Command } from 'commander';
import { visibleText } from '../../nodes/kit/visible-text.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { findGaps } from '../../nodes/metadata/rules/rule-gaps.ts';
import { countUses, readShapesFile } from './class-uses.ts';
import type { CommandContext } from './command-context.ts';
import { openRules } from './open-rules.ts';
import { noteWarnings } from './terminal.ts';
import { collect, RULES_HELP } from './trace-options.ts';

type GapFlags = {
  readonly prompt?: readonly string[];
  readonly rules?: readonly string[];
  readonly json?: boolean;
};

/** `lineage rules gaps OBJECT_INFO.json`: what is installed and lacks rules. */
export function rulesGapsCommand(context: CommandContext): Command {
  return new Command('gaps')
    .description('list installed classes that lack rules, by the pack that brings them')
    .argument('<object-info>', 'what /object_info of your ComfyUI answers')
    .option('--prompt <graph>', 'count how often this graph uses each class; may be repeated', collect)
    .option('--rules <path>', RULES_HELP, collect)
    .option('--json', 'print one JSON document')
    .action((file: string, flags: GapFlags) => gaps(file, flags, context));
}

async function gaps(file: string, flags: GapFlags, { terminal }: CommandContext): Promise<void> {
  const { warn, list: warnings } = createWarningLog();
  const shapes = await readShapesFile(file);
  const book = await openRules(flags.rules, warn);
  const found = findGaps(shapes, book, await countUses(flags.prompt ?? [], file, warn));
  if (flags.json) terminal.print(JSON.stringify({ gaps: found, warnings }));
  else {
    for (const { pythonModule, total, classes } of found) {
      const names = classes.map(
        ({ classType, uses }) => `  ${classType}${uses > 0 ? ` (used ${uses}x)` : ''}`,
      );
      const head = `${pythonModule === '' ? 'no module' : pythonModule}: ${classes.length} of ${total} classes`;
      terminal.print([head, ...names].map(visibleText).join('\n'));
    }
    if (found.length === 0) terminal.print('Every installed class has a rule.');
  }
  noteWarnings(warnings, terminal);
}
