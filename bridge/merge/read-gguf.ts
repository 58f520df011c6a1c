import { stat } from 'node:fs/promises';
import { startsWith } from '../../nodes/formats/cursor.ts';
import { type GgufHeader, MAGIC, parseGguf } from '../../nodes/formats/gguf.ts';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { readHead } from '../local/read-file.ts';

/** All tensors of one type of a GGUF file. */
type TypeShare = {
  /** As ggml names it; `type 999` for one that is not known. */
  readonly type: string;
  readonly tensors: number;
  /** Undefined where the type is not known. */
  readonly bytes: number | undefined;
};

/** Metadata alone fits; vocabularies do not. */
const FIRST_BYTES = 1024 * 1024;

/** Whether a file that begins so says that it is a GGUF file. */
export function isGguf(head: Uint8Array): boolean {
  return startsWith(head, MAGIC);
}

/**
 * Reads as much of a GGUF file as its head takes.
 *
 * @throws LineageError `gguf/malformed`, `gguf/truncated`, `file/missing`, `file/unreadable`, all of which name the file
 */
export async function readGguf(path: string): Promise<GgufHeader> {
  let length = FIRST_BYTES;
  while (true) {
    const head = await readHead(path, length);
    const { size } = await stat(path);
    try {
      return parseGguf(head, size);
    } catch (error) {
      if (!isLineageError(error)) throw error;
      if (!isLineageError(error, 'gguf/truncated') || head.length < length)
        throw new LineageError(error.code, error.message, { ...error.where, file: path }, { cause: error });
    }
    length *= 2;
  }
}

/** How many tensors and bytes there are of each type, the most bytes first. */
export function shareTypes({ tensors }: GgufHeader): readonly TypeShare[] {
  const shares = new Map<string, TypeShare>();
  for (const { type, typeId, begin, end } of tensors.values()) {
    const name = type?.name ?? `type ${typeId}`;
    const share = shares.get(name) ?? { type: name, tensors: 0, bytes: type && 0 };
    const bytes = share.bytes === undefined || end === undefined ? undefined : share.bytes + end - begin;
    shares.set(name, { type: name, tensors: share.tensors + 1, bytes });
  }
  return [...shares.values()].sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0));
}

/** What its head says it is for: `flux`, `llama` ... */
export function architectureOf({ metadata }: GgufHeader): string | undefined {
  const written = metadata.get('general.architecture');
  return typeof written === 'string' ? written : undefined;
}

/** `a GGUF file of flux, tensors in Q4_K (304), F32 (476)`. */
export function describeGguf(header: GgufHeader): string {
  const architecture = architectureOf(header);
  const types = shareTypes(header).map(({ type, tensors }) => `${type} (${tensors})`);
  const held = types.length === 0 ? 'without tensors' : `tensors in ${types.join(', ')}`;
  return `a GGUF file${architecture === undefined ? '' : ` of ${architecture}`}, ${held}`;
}
