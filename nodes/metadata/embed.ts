import { type Container, readContainer, spliceContainer } from '../formats/container.ts';
import { chooseWorkflowTags, readExif, removeOurExif, writeExif } from '../formats/exif.ts';
import { isInfotext } from '../formats/infotext.ts';
import { commentSegmentBytes, exifSegmentBytes, xmpSegmentBytes } from '../formats/jpeg.ts';
import { setXmpProperty, type XmpProperty } from '../formats/xmp.ts';
import { isLineageError } from '../kit/errors.ts';
import type { WarningSink } from '../kit/warnings.ts';
import { type Parameters, renderParameters } from './parameters.ts';
import { type Dropped, fitMinimal, leftOut, reduceParameters, type Stage } from './stages.ts';

/** Where the structured record lies. These names are permanent. */
export const RECORD_KEYWORD = 'lineage';
export const RECORD_XMP: XmpProperty = {
  namespace: 'urn:lineage-nodes:xmp:1.0/',
  prefix: 'lineage',
  name: 'record',
};

/** PNG texts that we write. */
const OWN_KEYWORDS: ReadonlySet<string> = new Set(['parameters', 'prompt', 'workflow', RECORD_KEYWORD]);

/** A JPEG budget counts the whole APP1 segment, marker included. */
const MIN_EXIF_BYTES = 4 * 1024;
export const MAX_EXIF_BYTES = 65_535;

export type EmbedRequest = {
  readonly parameters: Parameters;
  /** ASCII JSON of the prompt graph and the workflow. */
  readonly prompt?: string;
  readonly workflow?: string;
  /** ASCII JSON of the structured record. */
  readonly record: string;
  /** For JPEG: the largest APP1 segment, 4,096 to 65,535 bytes. */
  readonly maxExifBytes: number;
  /** The file the pixels came from, where they were encoded anew: its own metadata is carried over. */
  readonly carriedFrom?: Container;
};

export type Embedded = {
  readonly bytes: Uint8Array;
  readonly stage: Stage;
  /** The infotext as it was written. */
  readonly text: string;
  readonly dropped: readonly Dropped[];
};

type Blocks = {
  readonly exif: Uint8Array | null;
  readonly text: string;
  readonly stage: Stage;
  readonly dropped: readonly Dropped[];
};

/** What of the picture's own EXIF and XMP is to be kept. */
type Kept = {
  readonly width: number;
  readonly height: number;
  readonly exif?: Uint8Array;
  readonly xmp?: string;
  readonly hasIcc: boolean;
};

/**
 * Puts the metadata into an encoded picture by splicing; its pixels stay as they are, bit for bit. What the
 * picture carried stays (ICC, XMP, camera EXIF, C2PA); our own and A1111 fields are replaced.
 *
 * @param bytes a complete PNG, JPEG, WebP or AVIF file; not modified
 * @throws LineageError `<format>/malformed`
 */
export function embedMetadata(bytes: Uint8Array, request: EmbedRequest, warn: WarningSink): Embedded {
  const container = readContainer(bytes);
  const kept = keepOwnBlocks(container, request.carriedFrom, warn);
  if (container.hasC2pa)
    warn('embed/c2pa', 'its signature does not cover the new metadata', container.format);
  const embedded = embedByFormat(bytes, container, request, kept);
  const dropped = [
    ...leftBehind(request.carriedFrom),
    ...withoutTag(container, kept, request),
    ...embedded.dropped,
  ];
  return { ...embedded, dropped };
}

function embedByFormat(bytes: Uint8Array, container: Container, request: EmbedRequest, kept: Kept): Embedded {
  if (container.format === 'png') return embedPng(bytes, request, kept);
  if (container.format === 'jpeg') return embedJpeg(bytes, request, kept);
  const text = renderParameters(request.parameters);
  const exif = exifWith(kept, request, text, 'unicode', true);
  const xmp = setXmpProperty(kept.xmp, RECORD_XMP, withoutMarkup(request.record));
  return { bytes: spliceContainer(bytes, { exif, xmp }), stage: 'full', text, dropped: [] };
}

function embedPng(bytes: Uint8Array, request: EmbedRequest, kept: Kept): Embedded {
  const text = renderParameters(request.parameters);
  const texts = new Map(text === '' ? [] : [['parameters', text]]);
  if (request.prompt !== undefined) texts.set('prompt', request.prompt);
  if (request.workflow !== undefined) texts.set('workflow', request.workflow);
  const stale = ['parameters', 'prompt', 'workflow'].filter((keyword) => !texts.has(keyword));
  const spliced = spliceContainer(bytes, {
    texts,
    itxt: new Map([[RECORD_KEYWORD, request.record]]),
    removeKeywords: stale,
    exif: (kept.exif && withoutOurs(kept.exif)) ?? null,
    xmp: kept.xmp === undefined ? null : setXmpProperty(kept.xmp, RECORD_XMP, null),
  });
  return { bytes: spliced, stage: 'full', text, dropped: [] };
}

function embedJpeg(bytes: Uint8Array, request: EmbedRequest, kept: Kept): Embedded {
  const budget = Math.min(MAX_EXIF_BYTES, Math.max(MIN_EXIF_BYTES, request.maxExifBytes));
  const blocks = fitJpeg(request, kept, budget);
  const own = kept.xmp === undefined ? null : setXmpProperty(kept.xmp, RECORD_XMP, null);
  const whole = setXmpProperty(kept.xmp, RECORD_XMP, withoutMarkup(request.record));
  const holdsRecord = blocks.stage === 'full' && xmpSegmentBytes(whole) <= budget;
  const dropped = [...blocks.dropped, ...(holdsRecord ? [] : [{ what: 'lineage:record', why: TOO_SMALL }])];
  const { exif, text, stage } = blocks;
  const comment = stage === 'com-marker' ? new TextEncoder().encode(text) : null;
  const spliced = spliceContainer(bytes, { exif, xmp: holdsRecord ? whole : own, comment });
  return { bytes: spliced, stage, text, dropped };
}

const TOO_SMALL = 'the budget is too small';

/** The first stage that fits; within a stage UTF-16 first, then ASCII where the text allows it. */
function fitJpeg(request: EmbedRequest, kept: Kept, budget: number): Blocks {
  const { parameters } = request;
  const attempt = (text: string, whole: boolean): Uint8Array | undefined => {
    for (const encoding of ['unicode', 'ascii'] as const) {
      if (encoding === 'ascii' && !isAscii(text)) continue;
      const exif = exifWith(kept, request, text, encoding, whole);
      if (exifSegmentBytes(exif) <= budget) return exif;
    }
    return undefined;
  };

  const full = renderParameters(parameters);
  const fullExif = attempt(full, true);
  if (fullExif) return { exif: fullExif, text: full, stage: 'full', dropped: [] };

  const graphs: Dropped[] = [];
  if (request.prompt !== undefined) graphs.push({ what: 'prompt', why: TOO_SMALL });
  if (request.workflow !== undefined) graphs.push({ what: 'workflow', why: TOO_SMALL });

  const reduced = reduceParameters(parameters);
  const reducedText = renderParameters(reduced);
  const reducedExif = attempt(reducedText, false);
  if (reducedExif) {
    const dropped = [...graphs, ...leftOut(parameters, reduced)];
    return { exif: reducedExif, text: reducedText, stage: 'reduced-exif', dropped };
  }

  const minimal = fitMinimal(parameters, 'minimal', (text) => attempt(text, false) !== undefined, false);
  const minimalExif = minimal && attempt(minimal.text, false);
  if (minimal && minimalExif) {
    const dropped = [...graphs, ...minimal.dropped];
    return { exif: minimalExif, text: minimal.text, stage: 'minimal', dropped };
  }

  const encoder = new TextEncoder();
  const comment = fitMinimal(
    parameters,
    'com-marker',
    (text) => commentSegmentBytes(encoder.encode(text)) <= budget,
    true,
  );
  const exif = (kept.exif && removeOurExif(kept.exif)) ?? null;
  return {
    exif,
    text: comment?.text ?? '',
    stage: 'com-marker',
    dropped: [...graphs, ...(comment?.dropped ?? [])],
  };
}

function exifWith(
  kept: Kept,
  request: EmbedRequest,
  text: string,
  encoding: 'unicode' | 'ascii',
  withGraphs: boolean,
): Uint8Array {
  const ascii = new Map<number, string>();
  const tags = chooseWorkflowTags(kept.exif);
  if (withGraphs && request.prompt !== undefined && tags.prompt !== undefined) {
    ascii.set(tags.prompt, `prompt:${request.prompt}`);
  }
  if (withGraphs && request.workflow !== undefined && tags.workflow !== undefined) {
    ascii.set(tags.workflow, `workflow:${request.workflow}`);
  }
  return writeExif({
    ...(text !== '' && { userComment: { text: evened(text, encoding), encoding } }),
    ascii,
    width: kept.width,
    height: kept.height,
    ...(kept.hasIcc && { colorSpace: 'uncalibrated' as const }),
    ...(kept.exif && { base: kept.exif }),
  });
}

/** A block with nothing of ours in it stays as it is, byte for byte. */
function withoutOurs(block: Uint8Array): Uint8Array | undefined {
  const { userComment, ifd0Ascii } = readExif(block);
  const ours =
    isInfotext(userComment?.text ?? '') || ifd0Ascii.some(({ text }) => /^(prompt|workflow):/i.test(text));
  return ours ? removeOurExif(block) : block;
}

/** A camera that uses every tag we could take leaves no place for the graph. */
function withoutTag({ format }: Container, { exif }: Kept, { prompt, workflow }: EmbedRequest): Dropped[] {
  if (format === 'png' || exif === undefined) return [];
  const tags = chooseWorkflowTags(exif);
  const why = "the picture's own EXIF uses every tag that readers look in";
  return [
    ...(prompt !== undefined && tags.prompt === undefined ? [{ what: 'prompt', why }] : []),
    ...(workflow !== undefined && tags.workflow === undefined ? [{ what: 'workflow', why }] : []),
  ];
}

/** What a picture that was encoded anew had and the new file does not. */
function leftBehind(source: Container | undefined): Dropped[] {
  if (!source) return [];
  const why = `the picture was encoded anew from ${source.format}`;
  const foreign = source.texts.filter(
    ({ keyword }) => !OWN_KEYWORDS.has(keyword) && !keyword.startsWith('XML:'),
  );
  return [
    ...[...new Set(foreign.map(({ keyword }) => keyword))].map((keyword) => ({
      what: `text "${keyword}"`,
      why,
    })),
    ...source.comments
      .filter((bytes) => !isInfotext(new TextDecoder().decode(bytes)))
      .map(() => ({ what: 'JPEG comment', why })),
    ...(source.hasC2pa ? [{ what: 'C2PA manifest', why }] : []),
    ...(source.isAnimated ? [{ what: 'all frames but the first', why }] : []),
  ];
}

/** The blocks to build on. One that is damaged is replaced, and that is said. */
function keepOwnBlocks(own: Container, carriedFrom: Container | undefined, warn: WarningSink): Kept {
  const { width, height, hasIcc } = own;
  const exif = own.exif ?? carriedFrom?.exif;
  const xmp = own.xmp ?? carriedFrom?.xmp;
  const usable = (check: () => unknown, what: 'exif' | 'xmp'): boolean => {
    try {
      check();
      return true;
    } catch (error) {
      if (!isLineageError(error, `${what}/malformed`)) throw error;
      warn('embed/replaced', `${what.toUpperCase()}: ${error.message}`, own.format);
      return false;
    }
  };
  return {
    width,
    height,
    hasIcc,
    ...(exif && usable(() => readExif(exif), 'exif') && { exif }),
    ...(xmp !== undefined && usable(() => setXmpProperty(xmp, RECORD_XMP, null), 'xmp') && { xmp }),
  };
}

/** sd-prompt-reader tries every comment as UTF-16 first and gives up on an odd number of bytes. */
function evened(text: string, encoding: 'unicode' | 'ascii'): string {
  return encoding === 'ascii' && text.length % 2 === 1 ? `${text} ` : text;
}

/** JSON without the characters that XML would have to escape: one popular reader does not resolve entities. */
function withoutMarkup(json: string): string {
  return json.replace(/[&<>]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}
