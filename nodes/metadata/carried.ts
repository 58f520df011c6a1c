import type { Container } from '../formats/container.ts';
import { readExif } from '../formats/exif.ts';
import { isInfotext } from '../formats/is-infotext.ts';
import { readXmpProperty, type XmpProperty } from '../formats/xmp.ts';
import { isLineageError } from '../kit/errors.ts';
import { DIGITAL_SOURCE } from './digital-source.ts';
import { unpackGraphs } from './packed-graphs.ts';
import { RECORD_KEYWORD, RECORD_XMP } from './record-places.ts';

/** The generation metadata that a file carries, whoever wrote it. Texts as they stand in the file. */
export type CarriedMetadata = {
  /** The infotext. */
  readonly parameters?: string;
  /** JSON of the prompt graph and of the workflow. */
  readonly prompt?: string;
  readonly workflow?: string;
  /** JSON of our structured record. */
  readonly record?: string;
  /** How the picture came to be, in IPTC's vocabulary. */
  readonly digitalSource?: string;
};

/** Reads it from where PNG, EXIF, XMP, JPEG comments and compressed segments hold it. Damaged blocks count as absent. */
export function readCarried(container: Container): CarriedMetadata {
  const fromPng = (keyword: string): string | undefined =>
    container.texts.findLast((each) => each.keyword.toLowerCase() === keyword)?.text;
  const exif = container.exif && orAbsent(() => readExif(container.exif ?? new Uint8Array()));
  const fromExif = (key: string): string | undefined =>
    exif?.ifd0Ascii.find(({ text }) => text.toLowerCase().startsWith(`${key}:`))?.text.slice(key.length + 1);
  const comments = container.comments.map((bytes) => new TextDecoder().decode(bytes));
  const fromXmp = (property: XmpProperty): string | undefined => {
    const { xmp } = container;
    return xmp === undefined ? undefined : orAbsent(() => readXmpProperty(xmp, property));
  };
  const packed = container.packed.length > 0 ? orAbsent(() => unpackGraphs(container.packed)) : undefined;
  const found = {
    // A comment of a camera or a phone is none of ours.
    parameters: fromPng('parameters') ?? [exif?.userComment?.text ?? '', ...comments].find(isInfotext),
    prompt: fromPng('prompt') ?? fromExif('prompt') ?? packed?.prompt,
    workflow: fromPng('workflow') ?? fromExif('workflow') ?? packed?.workflow,
    record: fromPng(RECORD_KEYWORD) ?? fromXmp(RECORD_XMP),
    digitalSource: fromXmp(DIGITAL_SOURCE),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined && value !== ''));
}

function orAbsent<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isLineageError(error)) return undefined;
    throw error;
  }
}
