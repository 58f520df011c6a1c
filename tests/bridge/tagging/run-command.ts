import type { Command } from 'commander';
import type { CommandContext } from '../../../bridge/cli/command-context.ts';
import { tagCommand } from '../../../bridge/cli/tag.ts';
import { undoCommand } from '../../../bridge/cli/undo.ts';

/** What a command printed, and whether it found something wrong. */
export type Ran = {
  readonly printed: readonly string[];
  readonly noted: readonly string[];
  readonly found: boolean;
};

/** Runs `tag` or `undo` in this process, which is a hundred times faster than one of its own. */
export async function runCommand(
  name: 'tag' | 'undo',
  args: readonly string[],
  signal = new AbortController().signal,
): Promise<Ran> {
  const printed: string[] = [];
  const noted: string[] = [];
  let found = false;
  const context: CommandContext = {
    terminal: {
      print: (text) => void printed.push(text),
      note: (text) => void noted.push(text),
      debug: () => {},
    },
    signal,
    noteFinding() {
      found = true;
    },
  };
  const command: Command = name === 'tag' ? tagCommand(context) : undoCommand(context);
  await command
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .parseAsync([...args], { from: 'user' });
  return { printed, noted, found };
}
