import { extname } from 'node:path';
import { Command, Option } from 'commander';
import type { Container } from '../../nodes/formats/container.ts';
import { formatOfName } from '../../nodes/formats/extensions.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { IMAGE_FORMATS, type ImageFormat } from '../../nodes/kit/values.ts';
import { createWarningLog, type WarningLog } from '../../nodes/kit/warning-log.ts';
import { toDocument } from '../../nodes/metadata/document.ts';
import { DEFAULT_MAX_EXIF_KB, type Embedded, embedMetadata } from '../../nodes/metadata/embed.ts';
import { isBuiltIn } from '../../nodes/metadata/infotext.ts';
import { meantBy } from '../../nodes/metadata/meant.ts';
import { makeReceipt, type Receipt } from '../../nodes/metadata/receipt.ts';
import { formatReceiptTable } from '../../nodes/metadata/receipt-table.ts';
import type { RecordData } from '../../nodes/metadata/record.ts';
import { refuseTaken, writeFilesAtomic } from '../local/write-file.ts';
import type { CommandContext } from './command-context.ts';
import { describePicture } from './describe-picture.ts';
import {
  type GraphSource,
  graphOfImage,
  readGraphFile,
  readPicture,
  readWorkflowFile,
} from './graph-source.ts';
import { addInPlaceOptions, IN_PLACE_ONLY, type InPlaceOptions, tagInPlace } from './tag-folder.ts';
import { noteWarnings } from './terminal.ts';
import { withTracer } from './trace-graph.ts';
import { addTraceOptions, collect, integerBetween, type TraceOptions } from './trace-options.ts';

type TagOptions = TraceOptions &
  InPlaceOptions & { readonly out?: string } & Omit<CopyOptions, 'out' | keyof TraceOptions>;

/** Of a copy that is written beside the picture. */
type CopyOptions = TraceOptions & {
  readonly out: string;
  readonly prompt?: string;
  readonly workflow?: string;
  readonly format?: ImageFormat;
  readonly quality: number;
  readonly maxExifKb: number;
  readonly extra: readonly string[];
  readonly sidecar?: boolean;
  readonly receipt?: boolean;
  readonly force?: boolean;
  readonly digitalSource?: boolean;
};

/**
 * `lineage tag IMAGE --out FILE` writes generation metadata into a copy of a picture; `lineage tag PATH...` into pictures
 * where they lie, with a journal to undo it.
 */
export function tagCommand(context: CommandContext): Command {
  const command = new Command('tag')
    .description(
      'write generation metadata into a picture: into a copy with --out, else where it lies, with a journal for undo',
    )
    .argument('<path...>', 'PNG, JPEG, WebP or AVIF files, and folders of them')
    .option('--extra <key=value>', 'a key of your own; may be repeated', collect, [])
    .option(
      '--max-exif-kb <n>',
      'largest metadata segment of a JPEG',
      integerBetween(4, 64),
      DEFAULT_MAX_EXIF_KB,
    );
  addTraceOptions(command);
  command
    .optionsGroup('A copy of one picture:')
    .option('--out <file>', 'where to write; its extension gives the format')
    .option('--no-digital-source', 'leave out that a model made the picture (IPTC, in XMP)')
    .option('--prompt <file>', 'the prompt graph (default: the one the picture embeds)')
    .option(
      '--workflow <file>',
      'the workflow to embed beside it (default: the one that came with the graph)',
    )
    .addOption(
      new Option('--format <format>', 'for an --out without a telling extension').choices(IMAGE_FORMATS),
    )
    .option('--quality <n>', 'for JPEG, WebP and AVIF that are encoded anew', integerBetween(1, 100), 90)
    .option('--sidecar', 'write the structured record to <out>.lineage.json too')
    .option('--receipt', 'read the file again as each reader would, and say what it sees')
    .option('--force', 'replace an existing file');
  return addInPlaceOptions(command).action(async (paths: readonly string[], options: TagOptions) => {
    const { out } = options;
    const given = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
    refuseOthers(out === undefined ? COPY_ONLY : IN_PLACE_ONLY, given, out !== undefined);
    if (out === undefined)
      return await tagInPlace(paths, { ...options, extra: extraOf(options.extra) }, context);
    const [image, ...more] = paths;
    if (image === undefined || more.length > 0) {
      const message = `expected one picture with --out, got ${paths.length}`;
      throw new LineageError('option/invalid', message, { option: '--out' });
    }
    await tag(image, { ...options, out }, context);
  });
}

const COPY_ONLY = ['prompt', 'workflow', 'format', 'quality', 'sidecar', 'receipt', 'force', 'json'];

/** @throws LineageError `option/conflict` for an option of the other way to tag */
function refuseOthers(names: readonly string[], given: (name: string) => boolean, isCopy: boolean): void {
  const name = names.find(given);
  if (name === undefined) return;
  const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const message = isCopy
    ? `expected ${option} without --out, got both`
    : `expected --out with ${option}, got none${name === 'json' ? '; --jsonl prints a document a file' : ''}`;
  throw new LineageError('option/conflict', message, { option });
}

async function tag(image: string, options: CopyOptions, context: CommandContext): Promise<void> {
  const log = createWarningLog();
  const format = formatOf(options);
  const extra = extraOf(options.extra);
  if (!options.force) await refuseTaken(options.out);
  const { bytes, container } = await readPicture(image);
  const source = await findGraph(image, container, options, log);
  const { metadata, record } = await withTracer(options, log.warn, context, (trace) => {
    const { digitalSource = true } = options;
    const from = { source, graphFile: options.prompt ?? image, extra, digitalSource };
    return describePicture(container, from, trace, log.warn);
  });
  const pixels = format === container.format ? bytes : await reencode(bytes, format, options.quality);
  const carriedFrom = pixels === bytes ? {} : { carriedFrom: container };
  const maxExifBytes = options.maxExifKb * 1024;
  const embedded = embedMetadata(pixels, { ...metadata, ...carriedFrom, maxExifBytes }, log.warn);
  context.signal.throwIfAborted();

  const files = new Map([[options.out, embedded.bytes]]);
  if (options.sidecar)
    files.set(`${options.out}.lineage.json`, new TextEncoder().encode(`${metadata.record}\n`));
  await writeFilesAtomic(files, { replace: options.force === true });
  const receipt = options.receipt ? makeReceipt(embedded.bytes, meantBy(metadata, embedded)) : undefined;
  report(options, embedded, record, receipt, log, context);
}

/** The graph of --prompt, else the embedded one; the workflow of --workflow, else the one beside the graph. */
async function findGraph(
  image: string,
  container: Container,
  { prompt, workflow, objectInfo }: CopyOptions,
  { warn }: WarningLog,
): Promise<GraphSource> {
  const found = await (prompt === undefined
    ? graphOfImage(container, image, warn, objectInfo)
    : readGraphFile(prompt, warn, objectInfo));
  return workflow === undefined ? found : { ...found, workflow: await readWorkflowFile(workflow, warn) };
}

/** sharp is loaded only where pixels are touched: a splice needs no native module. */
async function reencode(bytes: Uint8Array, format: ImageFormat, quality: number): Promise<Uint8Array> {
  const { reencodeImage } = await import('../../nodes/formats/pixels.ts');
  return await reencodeImage(bytes, { format, quality });
}

function report(
  options: CopyOptions,
  embedded: Embedded,
  record: RecordData,
  receipt: Receipt | undefined,
  { list: warnings }: WarningLog,
  { terminal }: CommandContext,
): void {
  const { stage, text, dropped } = embedded;
  if (options.json) {
    const written = {
      out: options.out,
      stage,
      parameters: text,
      dropped,
      warnings,
      ...(receipt && { receipt }),
    };
    terminal.print(JSON.stringify(toDocument(record, written)));
  } else {
    terminal.print(`${options.out}: ${embedded.bytes.length} bytes, stage ${stage}\n\n${text}`);
    if (receipt) terminal.print(`\n${formatReceiptTable(receipt)}`);
  }
  noteWarnings(warnings, terminal);
}

/** @throws LineageError `option/conflict` where the name says one format and --format another, `option/invalid` */
function formatOf({ out, format }: CopyOptions): ImageFormat {
  const named = formatOfName(out);
  if (named !== undefined && format !== undefined && named !== format) {
    throw new LineageError(
      'option/conflict',
      `expected one format, got --format ${format} and ${extname(out)}`,
      { option: '--format' },
    );
  }
  const chosen = named ?? format;
  if (chosen !== undefined) return chosen;
  throw new LineageError(
    'option/invalid',
    `expected a name that ends in .png, .jpg, .webp or .avif, got ${out}`,
    { option: '--out' },
  );
}

/** @throws LineageError `option/invalid` for what is not KEY=VALUE, or names a key that we write ourselves */
function extraOf(pairs: readonly string[]): ReadonlyMap<string, string> {
  const extra = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, Math.max(0, at)).trim();
    if (key === '')
      throw new LineageError('option/invalid', `expected KEY=VALUE, got ${pair}`, { option: '--extra' });
    if (isBuiltIn(key)) {
      throw new LineageError(
        'option/invalid',
        `expected a key of your own, got ${key}, which Lineage writes`,
        { option: '--extra' },
      );
    }
    extra.set(key, pair.slice(at + 1));
  }
  return extra;
}
