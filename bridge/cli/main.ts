import { Command, CommanderError } from 'commander';
import { ERRORS, isLineageError } from '../../nodes/kit/errors.ts';
import manifest from '../../package.json' with { type: 'json' };
import { codeOf } from '../local/system-error.ts';
import type { CommandContext } from './command-context.ts';
import { EXIT, type ExitStatus, exitStatusOf } from './exit-status.ts';
import { listenForStop, type StopListener } from './stop-signals.ts';
import { describeError, terminal } from './terminal.ts';

/**
 * Runs one command line.
 *
 * @param args without the program's own name
 * @returns the exit status; expected failures are printed, never thrown
 */
export async function main(args: readonly string[]): Promise<ExitStatus> {
  // A server that is told to end has done its work.
  const stop = listenForStop(args[0] === 'serve' ? ['SIGINT'] : ['SIGINT', 'SIGTERM', 'SIGHUP']);
  process.stdout.on('error', passOverClosedPipe);
  process.stderr.on('error', passOverClosedPipe);
  try {
    let status: ExitStatus = EXIT.done;
    const noteFinding = (): void => {
      status = EXIT.findings;
    };
    const program = await createProgram({ terminal, signal: stop.signal, noteFinding }, args);
    await program.parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    return report(error, args, stop);
  } finally {
    stop.end();
  }
}

/** A command is loaded when it is asked for: what serves and decodes pictures takes memory that a merge can use. */
const COMMANDS: Readonly<Record<string, () => Promise<(context: CommandContext) => Command>>> = {
  tag: async () => (await import('./tag.ts')).tagCommand,
  undo: async () => (await import('./undo.ts')).undoCommand,
  trace: async () => (await import('./trace.ts')).traceCommand,
  explain: async () => (await import('./explain.ts')).explainCommand,
  inspect: async () => (await import('./inspect.ts')).inspectCommand,
  view: async () => (await import('./view.ts')).viewCommand,
  restore: async () => (await import('./restore.ts')).restoreCommand,
  convert: async () => (await import('./convert.ts')).convertCommand,
  lint: async () => (await import('./lint.ts')).lintCommand,
  diff: async () => (await import('./diff.ts')).diffCommand,
  strip: async () => (await import('./strip.ts')).stripCommand,
  rules: async () => (await import('./rules.ts')).rulesCommand,
  merge: async () => (await import('./merge.ts')).mergeCommand,
  pipeline: async () => (await import('./pipeline.ts')).pipelineCommand,
  plan: async () => (await import('./plan.ts')).planCommand,
  compare: async () => (await import('./compare.ts')).compareCommand,
  rebuild: async () => (await import('./rebuild.ts')).rebuildCommand,
  schema: async () => (await import('./schema.ts')).schemaCommand,
  demo: async () => (await import('./demo.ts')).demoCommand,
  serve: async () => (await import('./serve.ts')).serveCommand,
};

async function createProgram(context: CommandContext, args: readonly string[]): Promise<Command> {
  const program = new Command('lineage')
    .description('Everything a graph makes knows how it was made.')
    .version(manifest.version, '--version', 'print the version')
    .helpOption('--help', 'show what a command takes')
    .addHelpText('after', EXIT_HELP);
  const [asked = ''] = args;
  const wanted = Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS);
  for (const name of wanted) {
    const create = await COMMANDS[name]?.();
    if (create) program.addCommand(create(context));
  }
  for (const each of [program, ...program.commands.flatMap((command) => [command, ...command.commands])]) {
    each
      .helpOption('--help', 'show what this command takes')
      .exitOverride()
      .showHelpAfterError('(--help shows what it takes)');
  }
  return program;
}

/** Commands that keep what they have finished, in files beside the output. */
const GO_ON: ReadonlySet<string> = new Set(['merge', 'pipeline', 'rebuild']);

const EXIT_HELP = `
Exit status: 0 done, 1 the input is wrong, 2 usage, 3 the environment, 4 findings, 70 a bug of ours, 130 interrupted,
143 ended by SIGTERM, 129 by SIGHUP.
Environment: LINEAGE_HOME, the folder of the hash ledger (default ~/.lineage); LINEAGE_DEBUG=1, how samplers were chosen;
LINEAGE_TOKEN, the token that serve asks for.`;

/**
 * A reader that has seen enough (`| head`), or a terminal that was closed, is no failure. The error comes late, so the
 * listener stays.
 */
function passOverClosedPipe(error: Error): void {
  if (codeOf(error) !== 'EPIPE' && codeOf(error) !== 'EIO') throw error;
}

function report(error: unknown, args: readonly string[], stop: StopListener): ExitStatus {
  const asDocument = (told: { code: string; message: string; hint: string; where: object }): void => {
    if (args.includes('--json')) terminal.print(JSON.stringify({ error: told }));
  };
  const stopped = stop.stopped();
  if (stopped) {
    const what = stopped.by === 'SIGINT' ? 'interrupted' : `ended by ${stopped.by}`;
    const goesOn = GO_ON.has(args[0] ?? '');
    const message = `${what}; nothing was left half done`;
    const hint = goesOn ? 'Run it again: it goes on from there.' : 'Run it again.';
    asDocument({ code: 'interrupted', message, hint, where: {} });
    terminal.note(goesOn ? `${message}\n  ${hint}` : message);
    return stopped.status;
  }
  if (error instanceof CommanderError) {
    // Commander has printed the text itself; help and version are no failures.
    if (error.exitCode === 0) return EXIT.done;
    const message = error.message.replace(/^error: /, '');
    asDocument({ code: 'option/invalid', message, hint: ERRORS['option/invalid'], where: {} });
    return EXIT.usage;
  }
  if (isLineageError(error)) {
    const { code, message, hint, where } = error;
    asDocument({ code, message, hint, where });
    terminal.note(describeError(error));
    return exitStatusOf(code);
  }
  asDocument({ code: 'bug', message: String(error), hint: 'Please report it with what you ran.', where: {} });
  terminal.note(
    `A bug of ours, please report it with what you ran:\n${error instanceof Error ? error.stack : String(error)}`,
  );
  return EXIT.bug;
}
