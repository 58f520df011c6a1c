import { Command } from 'commander';
import type { Container } from '../../nodes/formats/container.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { type GraphTexts, unpackGraphs } from '../../nodes/metadata/packed-graphs.ts';
import { refuseTaken, writeFilesAtomic } from '../local/write-file.ts';
import type { CommandContext } from './command-context.ts';
import { readPicture } from './graph-source.ts';
import { inFile } from './json-file.ts';

type Options = {
  readonly out?: string;
  readonly promptOut?: string;
  readonly force?: boolean;
  readonly json?: boolean;
};

/** `lineage restore FILE`: the graphs of a picture as they were, out of a JPEG's compressed segments too. */
export function restoreCommand(context: CommandContext): Command {
  return new Command('restore')
    .description('take the workflow and the prompt graph out of a picture, a JPEG with compressed graphs too')
    .argument('<file>', 'a PNG, JPEG, WebP or AVIF file')
    .option('--out <file>', 'where to write the workflow (default: print it)')
    .option('--prompt-out <file>', 'where to write the prompt graph (API format)')
    .option('--force', 'replace existing files')
    .option('--json', 'print one JSON document')
    .action((file: string, options: Options) => restore(file, options, context));
}

async function restore(file: string, options: Options, { terminal, signal }: CommandContext): Promise<void> {
  const { out, promptOut, force = false } = options;
  const { container } = await readPicture(file);
  const { sha256, ...graphs } = inFile(file, () => graphsOf(container));
  const files = new Map<string, Uint8Array>();
  if (out !== undefined) files.set(out, bytesOf(graphs.workflow, 'workflow', file));
  if (promptOut !== undefined) files.set(promptOut, bytesOf(graphs.prompt, 'prompt graph', file));
  if (files.size === 0 && graphs.workflow === undefined && graphs.prompt === undefined)
    throw missing('graph', file);
  if (!force) for (const path of files.keys()) await refuseTaken(path);
  signal.throwIfAborted();
  await writeFilesAtomic(files, { replace: force });

  if (options.json) terminal.print(JSON.stringify({ file, out: [...files.keys()], sha256, ...graphs }));
  else if (files.size === 0) terminal.print(graphs.workflow ?? graphs.prompt ?? '');
  const checked = sha256 === undefined ? '' : `, SHA-256 ${sha256} as recorded`;
  if (!options.json)
    for (const [path, bytes] of files) terminal.print(`${path}: ${bytes.length} bytes${checked}`);
}

/** Compressed graphs stand only where the others had no room. */
function graphsOf(container: Container): GraphTexts & { readonly sha256?: string } {
  if (container.packed.length > 0) return unpackGraphs(container.packed);
  const { prompt, workflow } = readCarried(container);
  return { ...(prompt !== undefined && { prompt }), ...(workflow !== undefined && { workflow }) };
}

function bytesOf(text: string | undefined, what: string, file: string): Uint8Array {
  if (text === undefined) throw missing(what, file);
  return new TextEncoder().encode(text);
}

function missing(what: string, file: string): LineageError {
  return new LineageError('graph/malformed', `expected a picture that embeds a ${what}, got none`, { file });
}
