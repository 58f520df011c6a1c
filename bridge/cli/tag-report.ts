import { readContainer } from '../../nodes/formats/container.ts';
import { isLineageError, type LineageError } from '../../nodes/kit/errors.ts';
import { visibleText } from '../../nodes/kit/visible-text.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { embedMetadata } from '../../nodes/metadata/embed.ts';
import type { TagReport } from '../../nodes/metadata/file-reports.ts';
import { createByteBudget } from '../tagging/byte-budget.ts';
import type { Found } from '../tagging/find-pictures.ts';
import type { UndoJournal } from '../tagging/journal.ts';
import { tagFile } from '../tagging/tag-file.ts';
import { describePicture } from './describe-picture.ts';
import { graphOfImage, MAX_IMAGE_BYTES } from './graph-source.ts';
import { formatBytes } from './sizes.ts';
import type { Tracer } from './trace-graph.ts';

/** How each picture is tagged. */
export type FileTaggerOptions = {
  readonly extra: ReadonlyMap<string, string>;
  readonly maxExifKb: number;
  readonly untagged?: boolean;
  readonly touch?: boolean;
  readonly objectInfo?: string;
};

/** Of all files in work together, copies included. */
const MEMORY_BYTES = 512 * 1024 * 1024;

/**
 * Tags one picture and reports on it. What is wrong with the file is in the report; what is thrown ends the run: a journal
 * that cannot be written, and the signal's reason.
 *
 * @param journal absent: nothing is changed
 */
export function createFileTagger(
  options: FileTaggerOptions,
  trace: Tracer,
  journal: UndoJournal | undefined,
  signal: AbortSignal,
): (found: Found) => Promise<TagReport | undefined> {
  const how = {
    ...(journal && { journal }),
    touch: options.touch === true,
    maxBytes: MAX_IMAGE_BYTES,
    budget: createByteBudget(MEMORY_BYTES),
    signal,
  };
  return async (found) => {
    if (found.kind === 'other') return undefined;
    const { warn, list } = createWarningLog();
    let made: Made = { dropped: [] };
    const reportOn = (of: Pick<TagReport, 'outcome'> & Partial<TagReport>): TagReport => {
      const { isLeftAlone: _, bytes: __, ...told } = made;
      return { file: found.shown, ...of, ...told, warnings: [...list] };
    };
    if (found.kind === 'problem') return reportOn({ outcome: 'failed', error: toldOf(found.error) });
    try {
      const change = await tagFile(
        found.path,
        async (bytes) => {
          made = await makeTagged(bytes, found.shown, options, trace, warn);
          return made.bytes ?? bytes;
        },
        how,
      );
      return reportOn(made.isLeftAlone ? { ...change, outcome: 'left-alone' } : change);
    } catch (error) {
      if (!isLineageError(error) || error === journal?.failure()) throw error;
      return reportOn({ outcome: 'failed', error: toldOf(error) });
    }
  };
}

type Made = Pick<TagReport, 'format' | 'stage' | 'parameters' | 'dropped'> & {
  readonly bytes?: Uint8Array;
  readonly isLeftAlone?: true;
};

async function makeTagged(
  bytes: Uint8Array,
  file: string,
  { extra, maxExifKb, untagged, objectInfo }: FileTaggerOptions,
  trace: Tracer,
  warn: WarningSink,
): Promise<Made> {
  const container = readContainer(bytes);
  const { format } = container;
  if (untagged && readCarried(container).parameters !== undefined)
    return { format, dropped: [], isLeftAlone: true };
  const source = await graphOfImage(container, file, warn, objectInfo);
  const { metadata } = await describePicture(container, { source, graphFile: file, extra }, trace, warn);
  const embedded = embedMetadata(bytes, { ...metadata, maxExifBytes: maxExifKb * 1024 }, warn);
  const { stage, text: parameters, dropped } = embedded;
  return { format, stage, parameters, dropped: [...dropped], bytes: embedded.bytes };
}

function toldOf({ code, message, hint }: LineageError): NonNullable<TagReport['error']> {
  return { code, message, hint };
}

/** A report as one line: what would be done, or why it was not. */
export function describeReport(report: TagReport): string {
  const { file, error, stage, bytesBefore = 0, bytesAfter = 0, dropped } = report;
  if (error) return visibleText(`${file}: [${error.code}] ${error.message}`);
  const sizes = `${formatBytes(bytesBefore)} -> ${formatBytes(bytesAfter)}`;
  const lost = dropped.length === 0 ? '' : `, without ${dropped.map(({ what }) => what).join(', ')}`;
  return visibleText(`${file}: ${sizes}, stage ${stage}${lost}`);
}
