import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { Command, InvalidArgumentError, Option } from 'commander';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { ServeOptions } from '../embedded/serve-options.ts';
import { homeFolder, ledgerIn } from '../local/home.ts';
import { rulesIn } from '../local/rule-store.ts';
import { reasonOf } from '../local/system-error.ts';
import type { CommandContext } from './command-context.ts';
import { collect, integerBetween, RULES_HELP } from './trace-options.ts';

type ServeFlags = {
  readonly port: number;
  readonly listen: string;
  readonly base: string;
  readonly input?: string;
  readonly output?: string;
  readonly temp?: string;
  readonly user?: string;
  readonly models?: readonly string[];
  readonly nodes?: readonly string[];
  readonly rules?: readonly string[];
  readonly frontEndRoot?: string;
  readonly cache: NonNullable<ServeOptions['cache']>;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly allowHost?: readonly string[];
  readonly maxUploadSize: number;
  readonly disableMetadata?: boolean;
  readonly enableUuidCheck?: boolean;
  readonly errorStyle: 'newest' | 'v0.8';
  readonly store?: string;
  readonly verbose?: boolean;
};

const MEBIBYTE = 1024 * 1024;
/** Something that a node left behind (a timer, a socket) may keep the process for so long after the server ended. */
const LINGER_MS = 2_000;

/** `lineage serve`: the embedded runtime, until Ctrl-C. */
export function serveCommand(context: CommandContext): Command {
  const addresses = 'addresses, with commas between them; beyond this machine only with a token';
  return new Command('serve')
    .description("run graphs: a server that speaks ComfyUI's API, without ComfyUI and torch")
    .option('--port <n>', 'where to listen; 0: any free port', integerBetween(0, 65_535), 8188)
    .option('--listen <addresses>', addresses, '127.0.0.1')
    .option('--base <folder>', 'holds input, output, temp and user, each unless given', 'lineage-data')
    .option('--input <folder>', 'pictures that workflows read')
    .option('--output <folder>', 'where pictures are saved')
    .option('--temp <folder>', 'holds a folder temp for previews, emptied at start and end')
    .option('--user <folder>', 'settings, workflows, the queue and the history')
    .option('--models <folder>', "a folder with ComfyUI's layout; may be repeated", collect)
    .option('--nodes <folder>', 'further nodes, code that runs with your rights; may be repeated', collect)
    .option('--rules <path>', RULES_HELP, collect)
    .option('--front-end-root <folder>', 'the static folder of comfyui-frontend-package')
    .addOption(
      new Option('--cache <kind>', 'classic, none, lru:N (results), ram:N (GiB to stay free)')
        .argParser(readCache)
        .default({ kind: 'classic' }, 'classic'),
    )
    .option('--token <token>', 'asked of every request; others see command lines, so rather LINEAGE_TOKEN')
    .option('--token-file <file>', 'a file that holds the token')
    .option('--allow-host <name>', 'a name that the server is reached by; may be repeated', collect)
    .option('--max-upload-size <mb>', 'largest upload in MiB', integerBetween(1, 4096), 100)
    .option('--disable-metadata', 'write no metadata into pictures')
    .option('--enable-uuid-check', 'refuse prompt ids that are no UUID, as the newest ComfyUI')
    .addOption(
      new Option('--error-style <style>', 'how an unknown class is reported')
        .choices(['newest', 'v0.8'])
        .default('newest'),
    )
    .option('--store <file>', 'the file of the queue and the history, or :memory:')
    .option('--verbose', 'log more')
    .action((flags: ServeFlags) => serve(flags, context));
}

async function serve(flags: ServeFlags, { terminal, signal }: CommandContext): Promise<void> {
  // Loaded here: the other commands need neither express nor the nodes.
  const { startRuntime } = await import('../embedded/start-runtime.ts');
  const runtime = await startRuntime({ ...toOptions(flags), write: terminal.note });
  terminal.print(`lineage serve: ${runtime.url}`);
  flushCompileCache();
  try {
    await untilStopped(signal);
  } finally {
    await runtime.close();
    setTimeout(() => process.exit(), LINGER_MS).unref();
  }
  signal.throwIfAborted();
}

/** Ends by Ctrl-C, or by the SIGTERM of whoever started this process. */
async function untilStopped(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  signal.addEventListener('abort', stop, { once: true });
  process.once('SIGTERM', stop);
  if (signal.aborted) stop();
  await promise;
  process.off('SIGTERM', stop);
}

function toOptions(flags: ServeFlags): ServeOptions {
  const {
    base,
    port,
    cache,
    errorStyle,
    models = [],
    nodes = [],
    rules = [],
    input,
    output,
    temp,
    user,
    store,
    frontEndRoot,
  } = flags;
  const token = readToken(flags);
  return {
    base,
    port,
    cache,
    errorStyle,
    models,
    nodes,
    rules,
    listen: flags.listen.split(',').map((address) => address.trim()),
    allowedHosts: flags.allowHost ?? [],
    maxUploadBytes: flags.maxUploadSize * MEBIBYTE,
    disableMetadata: flags.disableMetadata === true,
    checkIds: flags.enableUuidCheck === true,
    verbose: flags.verbose === true,
    ledger: ledgerIn(homeFolder()),
    rulesFolder: rulesIn(homeFolder()),
    guardProcess: true,
    ...(token !== undefined && { token }),
    ...(input !== undefined && { input }),
    ...(output !== undefined && { output }),
    ...(temp !== undefined && { temp }),
    ...(user !== undefined && { user }),
    ...(store !== undefined && { store }),
    ...(frontEndRoot !== undefined && { frontEndRoot }),
  };
}

/** @throws LineageError `option/conflict`, `file/unreadable` */
function readToken({ token, tokenFile }: ServeFlags): string | undefined {
  if (token !== undefined && tokenFile !== undefined) {
    throw new LineageError('option/conflict', 'expected one token, got --token and --token-file', {
      option: '--token',
    });
  }
  if (tokenFile === undefined) return token ?? (process.env['LINEAGE_TOKEN'] || undefined);
  try {
    return readFileSync(tokenFile, 'utf8').trim();
  } catch (cause) {
    throw new LineageError('file/unreadable', reasonOf(cause), { file: tokenFile }, { cause });
  }
}

/** @throws InvalidArgumentError, which commander turns into a usage error */
function readCache(text: string): NonNullable<ServeOptions['cache']> {
  const [, kind, amount] = /^(classic|none|lru|ram)(?::(\d+(?:\.\d+)?))?$/.exec(text) ?? [];
  const number = Number(amount);
  if ((kind === 'classic' || kind === 'none') && amount === undefined) return { kind };
  if (kind === 'lru' && amount !== undefined && Number.isSafeInteger(number)) return { kind, size: number };
  if (kind === 'ram' && amount !== undefined) return { kind, headroomGiB: number };
  throw new InvalidArgumentError(`expected classic, none, lru:N or ram:N, got ${text}`);
}
