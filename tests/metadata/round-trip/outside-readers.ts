import exifr from 'exifr';
import ExifReader from 'exifreader';
import piexif from 'piexifjs';
import { readContainer } from '../../../nodes/formats/container.ts';
import { readExif } from '../../../nodes/formats/exif.ts';
import { readXmpProperty } from '../../../nodes/formats/xmp.ts';
import { RECORD_KEYWORD, RECORD_XMP } from '../../../nodes/metadata/record-places.ts';
import { exiftool, pillow } from '../../peers.ts';
import type { Picture } from './cases.ts';

/** What a foreign program gives back of a file, as text. */
type Seen = {
  readonly parameters?: string | undefined;
  readonly prompt?: string | undefined;
  readonly workflow?: string | undefined;
  readonly record?: string | undefined;
};

/** A foreign reader: reads a whole batch, since starting a process costs more than reading. */
export type OutsideReader = {
  readonly name: string;
  readonly available: boolean;
  readonly read: (pictures: readonly Picture[]) => Promise<readonly Seen[]>;
};

const PILLOW_SCRIPT = new URL('../peers/read_pictures.py', import.meta.url).pathname;

export const outsideReaders: readonly OutsideReader[] = [
  { name: 'exiftool', available: exiftool.available, read: readByExiftool },
  { name: 'pillow', available: pillow.available, read: readByPillow },
  { name: 'exifr', available: true, read: (pictures) => Promise.all(pictures.map(readByExifr)) },
  { name: 'exifreader', available: true, read: async (pictures) => pictures.map(readByExifReader) },
  { name: 'piexifjs', available: true, read: async (pictures) => pictures.map(readByPiexif) },
  // Not foreign, but it reads these files the same way: our own.
  { name: 'lineage', available: true, read: async (pictures) => pictures.map(readByOurselves) },
];

type Values = Readonly<Record<string, unknown>>;

/** Asks exiftool for tags of many files at once. */
export function askExiftool(pictures: readonly Picture[], tags: readonly string[]): Values[] {
  const args = [
    '-json',
    '-b',
    '-G1',
    '-a',
    '-charset',
    'UTF8',
    '-charset',
    'filename=UTF8',
    ...tags,
    '-@',
    '-',
  ];
  const files = pictures.map(({ file }) => file).join('\n');
  return JSON.parse(exiftool.run(args, files)) as Values[];
}

async function readByExiftool(pictures: readonly Picture[]): Promise<Seen[]> {
  const tags = ['-ExifIFD:UserComment', '-File:Comment', '-IFD0:all', '-PNG:all', '-XMP-lineage:all'];
  return askExiftool(pictures, tags).map((seen) => {
    // A text that looks like a number is given as one.
    const of = (...names: readonly string[]): string | undefined => {
      const value = names.map((name) => seen[name]).find((one) => one !== undefined);
      return value === undefined ? undefined : String(value);
    };
    return {
      parameters: of('PNG:Parameters', 'ExifIFD:UserComment', 'File:Comment'),
      prompt: of('PNG:Prompt') ?? behind('prompt:', of('IFD0:ImageDescription')),
      workflow: of('PNG:Workflow') ?? behind('workflow:', of('IFD0:Make')),
      record: of('PNG:Lineage', 'XMP-lineage:Record'),
    };
  });
}

type PillowSeen = {
  readonly texts: Readonly<Record<string, string>>;
  readonly ifd0: Readonly<Record<string, string>>;
  readonly userComment: string | null;
  readonly comment: string | null;
  readonly xmp: string | null;
};

async function readByPillow(pictures: readonly Picture[]): Promise<Seen[]> {
  const output = pillow.run([PILLOW_SCRIPT], pictures.map(({ file }) => file).join('\n'));
  return (JSON.parse(output) as PillowSeen[]).map(({ texts, ifd0, userComment, comment, xmp }) => ({
    parameters:
      texts['parameters'] ??
      (userComment === null ? undefined : decodeUserComment(Buffer.from(userComment, 'hex'))) ??
      (comment === null ? undefined : Buffer.from(comment, 'hex').toString('utf8')),
    prompt: texts['prompt'] ?? behind('prompt:', ifd0['270']),
    workflow: texts['workflow'] ?? behind('workflow:', ifd0['271']),
    record:
      texts['lineage'] ?? (xmp === null ? undefined : recordIn(Buffer.from(xmp, 'hex').toString('utf8'))),
  }));
}

async function readByExifr({ embedded }: Picture): Promise<Seen> {
  const options = { tiff: true, xmp: true, ihdr: true, userComment: true, mergeOutput: false };
  const seen = (await tryToRead(() => exifr.parse(Buffer.from(embedded.bytes), options))) as
    | Readonly<Record<string, Values | Uint8Array | undefined>>
    | undefined;
  const of = (group: string, name: string): string | undefined => {
    const values = seen?.[group];
    const value = values instanceof Uint8Array ? undefined : values?.[name];
    return typeof value === 'string' ? value : undefined;
  };
  const comment = seen?.['userComment'];
  return {
    parameters:
      of('ihdr', 'parameters') ?? (comment instanceof Uint8Array ? decodeUserComment(comment) : undefined),
    prompt: of('ihdr', 'prompt') ?? behind('prompt:', of('ifd0', 'ImageDescription')),
    workflow: of('ihdr', 'workflow') ?? behind('workflow:', of('ifd0', 'Make')),
    record: of('ihdr', 'lineage') ?? of('lineage', 'record'),
  };
}

function readByExifReader({ embedded }: Picture): Seen {
  const { exif, pngText, xmp, file } = ExifReader.load(embedded.bytes.slice().buffer, {
    expanded: true,
  });
  const text = (tags: object | undefined, name: string): string | undefined => {
    const tag = (tags as Readonly<Record<string, { readonly value?: unknown } | undefined>> | undefined)?.[
      name
    ];
    const value = Array.isArray(tag?.value) ? tag.value[0] : tag?.value;
    return typeof value === 'string' ? value : undefined;
  };
  const comment = (exif as { readonly UserComment?: { readonly value: unknown } } | undefined)?.UserComment
    ?.value;
  return {
    parameters:
      text(pngText, 'parameters') ??
      (Array.isArray(comment) ? decodeUserComment(Uint8Array.from(comment)) : undefined) ??
      text(file, 'Comment'),
    prompt: text(pngText, 'prompt') ?? behind('prompt:', text(exif, 'ImageDescription')),
    workflow: text(pngText, 'workflow') ?? behind('workflow:', text(exif, 'Make')),
    record: text(pngText, 'lineage') ?? text(xmp, 'record'),
  };
}

/** It opens JPEG itself; of other formats it is handed the TIFF block. */
function readByPiexif({ embedded, variant }: Picture): Seen {
  const block = variant.format === 'jpeg' ? undefined : readContainer(embedded.bytes).exif;
  const input = variant.format === 'jpeg' ? binary(embedded.bytes) : block && `Exif\0\0${binary(block)}`;
  if (input === undefined) return {};
  const seen = piexif.load(input) as Readonly<Record<string, Readonly<Record<number, unknown>> | undefined>>;
  const of = (group: string, tag: number): string | undefined => {
    const value = seen[group]?.[tag];
    return typeof value === 'string' ? value : undefined;
  };
  const comment = of('Exif', 0x9286);
  return {
    parameters: comment === undefined ? undefined : decodeUserComment(Buffer.from(comment, 'latin1')),
    prompt: behind('prompt:', of('0th', 0x010e)),
    workflow: behind('workflow:', of('0th', 0x010f)),
  };
}

function readByOurselves({ embedded }: Picture): Seen {
  const { texts, exif, xmp, comments } = readContainer(embedded.bytes);
  const of = (keyword: string): string | undefined => texts.find((text) => text.keyword === keyword)?.text;
  const block = exif && readExif(exif);
  const ascii = (tag: number): string | undefined =>
    block?.ifd0Ascii.find((entry) => entry.tag === tag)?.text;
  const [comment] = comments;
  return {
    parameters:
      of('parameters') ?? block?.userComment?.text ?? (comment && Buffer.from(comment).toString('utf8')),
    prompt: of('prompt') ?? behind('prompt:', ascii(0x010e)),
    workflow: of('workflow') ?? behind('workflow:', ascii(0x010f)),
    record: of(RECORD_KEYWORD) ?? (xmp === undefined ? undefined : readXmpProperty(xmp, RECORD_XMP)),
  };
}

/** Where a program gives bytes: the eight-byte character code, then ASCII or big-endian UTF-16. */
function decodeUserComment(bytes: Uint8Array): string {
  const code = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  const body = Buffer.from(bytes.subarray(8));
  if (code === 'ASCII\0\0\0') return body.toString('latin1');
  if (code !== 'UNICODE\0') return `unexpected character code ${JSON.stringify(code)}`;
  return body.swap16().toString('utf16le');
}

/** The element's content; the five entities of XML are all that the tests' own packets may hold. */
function recordIn(packet: string): string | undefined {
  const content = /<lineage:record>([^<]*)<\/lineage:record>/.exec(packet)?.[1];
  const entities = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' } as const;
  return content?.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: keyof typeof entities) => entities[name]);
}

function behind(prefix: string, text: string | undefined): string | undefined {
  return text?.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** A reader that refuses a file has seen nothing in it. */
async function tryToRead(read: () => Promise<unknown>): Promise<unknown> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Error && /Unknown file format/.test(error.message)) return undefined;
    throw error;
  }
}
