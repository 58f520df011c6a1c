import { chooseWorkflowTags, writeExif } from '../formats/exif.ts';
import { commentSegmentBytes, exifSegmentBytes } from '../formats/jpeg.ts';
import type { FileMetadata } from './file-metadata.ts';
import { renderParameters } from './infotext.ts';
import { type Kept, withoutOurs } from './kept-blocks.ts';
import { type Dropped, fitMinimal, leftOut, reduceParameters, type Stage, TOO_SMALL } from './stages.ts';

/** What one file gets: its EXIF block, the infotext in it, and what that cost. */
export type Blocks = {
  readonly exif: Uint8Array | null;
  readonly text: string;
  readonly stage: Stage;
  readonly dropped: readonly Dropped[];
};

/** The first stage that fits; within a stage UTF-16 first, then ASCII where the text allows it. */
export function fitJpeg(metadata: FileMetadata, kept: Kept, budget: number): Blocks {
  const fitted = fitExif(metadata, kept, budget);
  if (fitted.stage !== 'com-marker' || !kept.exif || withoutOurs(kept)) return fitted;
  // It would be left out, so it need not be in the way: the next tagging would not find it either.
  const { exif: _, ...bare } = kept;
  return fitExif(metadata, bare, budget);
}

function fitExif(metadata: FileMetadata, kept: Kept, budget: number): Blocks {
  const { parameters } = metadata;
  const attempt = (text: string, whole: boolean): Uint8Array | undefined => {
    for (const encoding of ['unicode', 'ascii'] as const) {
      if (encoding === 'ascii' && !isAscii(text)) continue;
      const exif = exifWith(kept, metadata, text, encoding, whole);
      if (exifSegmentBytes(exif) <= budget) return exif;
    }
    return undefined;
  };

  const full = renderParameters(parameters);
  const fullExif = attempt(full, true);
  if (fullExif) return { exif: fullExif, text: full, stage: 'full', dropped: [] };

  const graphs: Dropped[] = [];
  if (metadata.prompt !== undefined) graphs.push({ what: 'prompt', why: TOO_SMALL });
  if (metadata.workflow !== undefined) graphs.push({ what: 'workflow', why: TOO_SMALL });

  // No text, not even one that names the stage, takes the place of a comment of somebody else's.
  if (full === '') {
    const bare = attempt('', false);
    const stage = bare ? 'reduced-exif' : 'com-marker';
    return { exif: bare ?? withoutOurs(kept) ?? null, text: '', stage, dropped: graphs };
  }

  const reduced = reduceParameters(parameters);
  const reducedText = renderParameters(reduced);
  const reducedExif = attempt(reducedText, false);
  if (reducedExif) {
    const dropped = [...graphs, ...leftOut(parameters, reduced)];
    return { exif: reducedExif, text: reducedText, stage: 'reduced-exif', dropped };
  }

  const minimal = fitMinimal(parameters, 'minimal', (text) => attempt(text, false) !== undefined);
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
  );
  return {
    exif: withoutOurs(kept) ?? null,
    text: comment?.text ?? '',
    stage: 'com-marker',
    dropped: [...graphs, ...(comment?.dropped ?? [])],
  };
}

/** An EXIF block with the infotext and, where they are wanted, the graphs. */
export function exifWith(
  kept: Kept,
  metadata: FileMetadata,
  text: string,
  encoding: 'unicode' | 'ascii',
  withGraphs: boolean,
): Uint8Array {
  const ascii = new Map<number, string>();
  const tags = chooseWorkflowTags(kept.exif);
  if (withGraphs && metadata.prompt !== undefined && tags.prompt !== undefined) {
    ascii.set(tags.prompt, `prompt:${metadata.prompt}`);
  }
  if (withGraphs && metadata.workflow !== undefined && tags.workflow !== undefined) {
    ascii.set(tags.workflow, `workflow:${metadata.workflow}`);
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

/** sd-prompt-reader tries every comment as UTF-16 first and gives up on an odd number of bytes. */
function evened(text: string, encoding: 'unicode' | 'ascii'): string {
  return encoding === 'ascii' && text.length % 2 === 1 ? `${text} ` : text;
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}
