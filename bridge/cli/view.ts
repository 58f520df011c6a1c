import { Command } from 'commander';
import { detectImageFormat } from '../../nodes/formats/detect.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { homeFolder } from '../local/home.ts';
import { readHead } from '../local/read-file.ts';
import { createRuleStore, rulesIn } from '../local/rule-store.ts';
import type { CommandContext } from './command-context.ts';
import { MAX_IMAGE_BYTES } from './graph-source.ts';
import { collect, integerBetween, RULES_HELP } from './trace-options.ts';

type ViewFlags = {
  readonly port: number;
  readonly open: boolean;
  readonly node?: string;
  readonly rules?: readonly string[];
};

/** A page that is reloaded, or closed by mistake and opened again, finds its server still there. */
const CLOSED_FOR_MS = 60_000;

/** Enough to tell what kind of file it is. */
const HEAD_BYTES = 512;

/** `lineage view FILE...`: a page of this machine that shows how pictures were made. */
export function viewCommand(context: CommandContext): Command {
  return new Command('view')
    .description('open a page that shows pictures, their fields, and the way of each field through the graph')
    .argument('<files...>', 'PNG, JPEG, WebP or AVIF files; the page shows these and reaches no others')
    .option('--port <n>', 'where to listen on this machine; 0: any free port', integerBetween(0, 65_535), 0)
    .option('--no-open', 'print the address, and open no browser')
    .option('--node <id>', 'the node that saved the pictures, where their graph has several')
    .option('--rules <path>', RULES_HELP, collect)
    .addHelpText('after', '\nIt ends with Ctrl-C, or a minute after the page was closed.')
    .action((files: readonly string[], flags: ViewFlags) => view(files, flags, context));
}

async function view(
  files: readonly string[],
  { port, open, node, rules }: ViewFlags,
  { terminal, signal }: CommandContext,
): Promise<void> {
  for (const file of files) await checkPicture(file);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  // Loaded here: the other commands need no server.
  const { startViewServer } = await import('../view/view-server.ts');
  const server = await startViewServer({
    files,
    port,
    rules: createRuleStore(rulesIn(homeFolder()), rules),
    maxBytes: MAX_IMAGE_BYTES,
    closedForMs: CLOSED_FOR_MS,
    deserted: end,
    note: terminal.note,
    ...(node !== undefined && { node }),
  });
  try {
    terminal.print(`lineage view: ${server.url}`);
    if (open) {
      const { openBrowser } = await import('../view/open-browser.ts');
      openBrowser(server.url);
    }
    signal.addEventListener('abort', () => end(), { once: true });
    if (signal.aborted) end();
    await ended;
  } finally {
    await server.close();
  }
  signal.throwIfAborted();
}

/** What is wrong with a name is said before a browser opens. @throws LineageError `file/…`, `image/unknown-format` */
async function checkPicture(file: string): Promise<void> {
  if (detectImageFormat(await readHead(file, HEAD_BYTES)) !== undefined) return;
  throw new LineageError('image/unknown-format', 'expected a picture, got a file of another kind', { file });
}
