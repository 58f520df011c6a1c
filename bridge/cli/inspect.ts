import { Command } from 'commander';
import exifr from 'exifr';
import ExifReader from 'exifreader';
import type { Container } from '../../nodes/formats/container.ts';
import { type ExifContents, readExif } from '../../nodes/formats/exif.ts';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import type { CommandContext } from './command-context.ts';
import { linesOf } from './found-lines.ts';
import { readPicture } from './graph-source.ts';
import { inspectModel } from './inspect-model.ts';

/**
 * `lineage inspect FILE`: all metadata of a picture, by our reader and by one that shares no code with it; or what the
 * header of a model says.
 */
export function inspectCommand({ terminal }: CommandContext): Command {
  return new Command('inspect')
    .description(
      'show all metadata of a picture, as Lineage and an independent program read it, or what a model file holds',
    )
    .argument(
      '<file>',
      'a PNG, JPEG, WebP or AVIF file, a safetensors file or the index of a sharded one, or a GGUF file',
    )
    .option('--json', 'print one JSON document')
    .action(async (file: string, options: { readonly json?: boolean }) => {
      const model = await inspectModel(file);
      if (model) {
        terminal.print(
          options.json ? JSON.stringify({ file, model }) : [file, ...linesOf(model, '  ')].join('\n'),
        );
        return;
      }
      const { bytes, container } = await readPicture(file);
      const found = { file, ours: oursOf(container), independent: await readIndependently(bytes, container) };
      terminal.print(options.json ? JSON.stringify(found) : forPeople(found));
    });
}

function oursOf(container: Container): object {
  const { format, width, height, hasAlpha, isAnimated, hasIcc, hasC2pa, texts, comments, damaged } =
    container;
  return {
    format,
    width,
    height,
    hasAlpha,
    isAnimated,
    hasIcc,
    hasC2pa,
    ...(hasC2pa && { c2pa: 'signed: changing the file breaks its C2PA credential' }),
    ...readCarried(container),
    exif: exifOf(container),
    xmp: container.xmp,
    texts: texts.map(({ keyword, chunk, text }) => ({ keyword, chunk, characters: text.length })),
    comments: comments.map((bytes) => new TextDecoder().decode(bytes)),
    damaged,
  };
}

function exifOf({ exif }: Container): ExifContents | { readonly damaged: string } | undefined {
  try {
    return exif && readExif(exif);
  } catch (error) {
    // What is damaged is shown as such; the rest of the file is still worth seeing.
    if (isLineageError(error, 'exif/malformed')) return { damaged: error.message };
    throw error;
  }
}

type Independent = { readonly reader: string; readonly found: object };

/** exifr where it can; exifreader for WebP and AVIF, which exifr cannot read. */
async function readIndependently(bytes: Uint8Array, { format }: Container): Promise<Independent> {
  const reader = format === 'webp' || format === 'avif' ? 'exifreader' : 'exifr';
  try {
    return { reader, found: reader === 'exifr' ? await readByExifr(bytes) : readByExifReader(bytes) };
  } catch (error) {
    // Another program's failure on this file is what this command is asked for, not a failure of the command.
    return { reader, found: { failed: error instanceof Error ? error.message : String(error) } };
  }
}

async function readByExifr(bytes: Uint8Array): Promise<object> {
  const options = {
    tiff: true,
    xmp: true,
    icc: true,
    iptc: true,
    jfif: true,
    ihdr: true,
    userComment: true,
    mergeOutput: false,
  };
  return (await exifr.parse(bytes, options)) ?? {};
}

function readByExifReader(bytes: Uint8Array): object {
  const tags = ExifReader.load(bytes.slice().buffer, { includeUnknown: true });
  return Object.fromEntries(
    Object.entries(tags).map(([name, tag]) => [
      name,
      commentText(name, tag?.value) ?? tag?.description ?? String(tag?.value),
    ]),
  );
}

/** exifreader gives a Unicode comment as bytes and leaves its text to the caller. */
function commentText(name: string, value: unknown): string | undefined {
  if (name !== 'UserComment' || !Array.isArray(value)) return undefined;
  const bytes = Uint8Array.from(value);
  const code = new TextDecoder('latin1').decode(bytes.subarray(0, 8));
  return new TextDecoder(code.startsWith('UNICODE') ? 'utf-16be' : 'utf-8').decode(bytes.subarray(8));
}

function forPeople({
  file,
  ours,
  independent,
}: {
  file: string;
  ours: object;
  independent: Independent;
}): string {
  const section = (title: string, found: object): string => `${title}\n${linesOf(found, '  ').join('\n')}`;
  return [
    file,
    section('Lineage reads', ours),
    section(`${independent.reader} reads`, independent.found),
  ].join('\n\n');
}
