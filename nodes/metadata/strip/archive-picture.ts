import { concatBytes } from '../../formats/assemble.ts';
import { type Container, readContainer, spliceContainer } from '../../formats/container.ts';
import { eraseAvif, eraseDescriptions, strangersInAvif } from '../../formats/parts/erase-avif.ts';
import { mapExifTexts } from '../../formats/parts/exif-texts.ts';
import { joinParts, type PartedFormat, type PartLister } from '../../formats/parts/list-parts.ts';
import type { NewPart, Part } from '../../formats/parts/part.ts';
import { type InflateBudget, mapPngText, openInflateBudget } from '../../formats/parts/png-text.ts';
import { withoutExifPrefix } from '../../formats/tiff.ts';
import { isLineageError } from '../../kit/errors.ts';
import { packGraphs, unpackGraphs } from '../packed-graphs.ts';
import type { BarePicture } from './bare-picture.ts';
import { eraseKeys, holdsKey } from './key-shapes.ts';
import type { NeedleSearch } from './needles.ts';

const XMP_HEAD_BYTES = 'http://ns.adobe.com/xap/1.0/\0'.length;

/**
 * A picture whose texts were changed where they stand; all else stays byte for byte, but for a part that holds one of
 * the needles of `find` and no text that could be changed, and for a C2PA manifest, which no longer fits a changed file.
 *
 * @param change must not give a longer text
 * @throws LineageError of the container, `jpeg/segment-too-large`
 */
export function archivePicture(
  bytes: Uint8Array,
  container: Container,
  change: (text: string) => string,
  find: NeedleSearch,
  listParts: PartLister,
): BarePicture {
  const { format } = container;
  const unpacked = container.packed.length > 0 ? changePacked(bytes, container, change) : undefined;
  if (unpacked) {
    const { bytes: changed, removed } = archivePicture(
      unpacked,
      readContainer(unpacked),
      change,
      find,
      listParts,
    );
    const unsigned = container.hasC2pa ? withoutSignature(changed, listParts) : changed;
    return { bytes: unsigned, removed: [...removed, ...(container.hasC2pa ? ['APP11'] : [])] };
  }
  if (format === 'avif') return archiveAvif(bytes, container, change, find);
  const parts: NewPart[] = [];
  const removed: string[] = [];
  let isChanged = false;
  const budget = openInflateBudget();
  for (const part of listParts(bytes, format)) {
    const { bare } = part;
    if (bare && (holdsKey(part.data) || find([part.data]).length > 0)) {
      parts.push({ part, data: bare });
      removed.push(`rests in ${part.name}`);
      isChanged = true;
      continue;
    }
    const data = changePart(part, format, change, budget);
    if (data === undefined || holdsAny(data, find, part)) {
      removed.push(part.name);
      isChanged = true;
    } else if (Buffer.compare(data, part.data) === 0) parts.push({ part });
    else {
      parts.push({ part, data });
      isChanged = true;
    }
  }
  if (!isChanged) return { bytes: Uint8Array.from(bytes), removed: [] };
  const signatures = parts.filter(({ part }) => part.role === 'c2pa');
  for (const { part } of signatures) removed.push(part.name);
  const unsigned = parts.filter(({ part }) => part.role !== 'c2pa');
  return { bytes: joinParts(bytes, format, unsigned), removed };
}

/** Undefined where the compressed graphs may stay as they are; those that cannot be read go. */
function changePacked(
  bytes: Uint8Array,
  { packed }: Container,
  change: (text: string) => string,
): Uint8Array | undefined {
  try {
    const { prompt, workflow } = unpackGraphs(packed);
    const changed = {
      prompt: prompt === undefined ? undefined : change(prompt),
      workflow: workflow === undefined ? undefined : change(workflow),
    };
    if (changed.prompt === prompt && changed.workflow === workflow) return undefined;
    const graphs = {
      ...(changed.prompt && { prompt: changed.prompt }),
      ...(changed.workflow && { workflow: changed.workflow }),
    };
    return spliceContainer(bytes, { packed: packGraphs(graphs) ?? null });
  } catch (error) {
    if (!isLineageError(error, 'jpeg/packed')) throw error;
    return spliceContainer(bytes, { packed: null });
  }
}

function withoutSignature(bytes: Uint8Array, listParts: PartLister): Uint8Array {
  const parts = listParts(bytes, 'jpeg').filter(({ role }) => role !== 'c2pa');
  return joinParts(
    bytes,
    'jpeg',
    parts.map((part) => ({ part })),
  );
}

/** Undefined for a text of which nothing is left, or that cannot be read, so that nobody knows what is in it. */
function changePart(
  part: Part,
  format: PartedFormat,
  change: (text: string) => string,
  budget: InflateBudget,
): Uint8Array | undefined {
  const { role, data } = part;
  if (role === 'exif')
    return behind(data, data.length - withoutExifPrefix(data).length, (block) =>
      eraseKeys(mapExifTexts(block, change)),
    );
  if (role !== 'text' && role !== 'xmp') return data;
  if (format === 'png') return mapPngText(part, change, budget);
  return behind(data, role === 'xmp' && format === 'jpeg' ? XMP_HEAD_BYTES : 0, (block) => {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(block);
    const changed = change(text);
    if (changed === '' && text !== '') return undefined;
    return changed === text ? block : new TextEncoder().encode(changed);
  });
}

function behind(
  data: Uint8Array,
  headBytes: number,
  change: (block: Uint8Array) => Uint8Array | undefined,
): Uint8Array | undefined {
  const changed = change(data.subarray(headBytes));
  return changed && concatBytes(data.subarray(0, headBytes), changed);
}

/** Pixels and the frame of the file have no text; chance matches in them prove nothing. */
function holdsAny(data: Uint8Array, find: NeedleSearch, { role }: Part): boolean {
  if (role === 'pixels') return false;
  return holdsKey(data, role === 'text' || role === 'xmp') || (role === 'other' && find([data]).length > 0);
}

/** Changed items are written anew; then what is no picture and no description goes as well. */
function archiveAvif(
  bytes: Uint8Array,
  { exif, xmp, hasC2pa }: Container,
  change: (text: string) => string,
  find: NeedleSearch,
): BarePicture {
  const newExif = exif && eraseKeys(mapExifTexts(exif, change));
  const changedXmp = xmp === undefined ? undefined : change(xmp);
  const newXmp = changedXmp === '' ? undefined : changedXmp;
  const isChanged = (exif && newExif && Buffer.compare(exif, newExif) !== 0) || newXmp !== xmp;
  const hasKeys = strangersInAvif(bytes).some((block) => holdsKey(block));
  if (!isChanged && !hasKeys && find([bytes]).length === 0)
    return { bytes: Uint8Array.from(bytes), removed: [] };
  const kept = { ...(newExif && { exif: newExif }), ...(newXmp !== undefined && { xmp: newXmp }) };
  const picture = eraseDescriptions(bytes);
  const isClean = !holdsKey(picture) && find([picture]).length === 0;
  // Where secrets stand in names and other places of the picture itself, no more than that one picture stays.
  const base = isClean ? picture : eraseAvif(bytes);
  return { bytes: spliceContainer(base, kept), removed: hasC2pa ? ['C2PA'] : [] };
}
