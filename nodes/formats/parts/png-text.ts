import { deflateSync, inflateSync } from 'node:zlib';
import { concatBytes } from '../assemble.ts';
import { latin1, latin1Bytes } from '../cursor.ts';
import type { Part } from './part.ts';

/** The compressed texts of a file may grow to this and no further, all together. */
const MAX_INFLATED_BYTES = 16 * 1024 * 1024;
/** As many as readers look at. Each costs some 50 us, however small it is. */
const MAX_STREAMS = 1_000;
/** A search tries several places of each text. */
const MAX_TRIES = 8 * MAX_STREAMS;

/** What is left for the texts of one file: bytes to inflate to, and streams to open. */
export type InflateBudget = { bytes: number; streams: number };

/** For one look at all texts of a file. */
export function openInflateBudget(): InflateBudget {
  return { bytes: MAX_INFLATED_BYTES, streams: MAX_STREAMS };
}

const encoder = new TextEncoder();

/** A text chunk opened: what stands before the text stays as it is. */
type OpenText = {
  readonly head: Uint8Array;
  readonly text: string;
  readonly isUtf8: boolean;
  readonly isCompressed: boolean;
};

/**
 * Hands the text of a tEXt, zTXt or iTXt chunk to `change` and gives the chunk's new data, of the same kind and with the
 * same keyword; the chunk's own data where nothing changes, undefined where it cannot be read or nothing is left.
 *
 * @param budget of the file that the chunk is of; what goes beyond it cannot be read
 */
export function mapPngText(
  part: Part,
  change: (text: string) => string,
  budget: InflateBudget,
): Uint8Array | undefined {
  const open = openText(part, budget);
  if (open === undefined) return undefined;
  const { head, text, isUtf8, isCompressed } = open;
  const changed = change(text);
  if (changed === text) return part.data;
  if (changed === '') return undefined;
  const body = isUtf8 ? encoder.encode(changed) : latin1Bytes(changed);
  return concatBytes(head, isCompressed ? deflateSync(body) : body);
}

/** keyword · NUL; zTXt: method u8; iTXt: compressed u8 · method u8 · language · NUL · translated keyword · NUL. */
function openText({ name, data }: Part, budget: InflateBudget): OpenText | undefined {
  const nul = data.indexOf(0);
  if (nul < 1) return undefined;
  if (name === 'tEXt') return opened(data, nul + 1, { isUtf8: false, isCompressed: false }, budget);
  if (name === 'zTXt') return opened(data, nul + 2, { isUtf8: false, isCompressed: true }, budget);
  const language = data.indexOf(0, nul + 3);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  if (translated < 0) return undefined;
  return opened(data, translated + 1, { isUtf8: true, isCompressed: data[nul + 1] !== 0 }, budget);
}

function opened(
  data: Uint8Array,
  at: number,
  kind: { readonly isUtf8: boolean; readonly isCompressed: boolean },
  budget: InflateBudget,
): OpenText | undefined {
  const body = kind.isCompressed ? inflate(data.subarray(at), budget) : data.subarray(at);
  if (body === undefined) return undefined;
  const text = kind.isUtf8 ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(body) : latin1(body);
  return { head: data.subarray(0, at), text, ...kind };
}

/** What the compressed chunks of a PNG hold: texts, and the colour profile with its name before it. */
export function inflatedBlocks(parts: readonly Part[]): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  const budget = { bytes: MAX_INFLATED_BYTES, streams: MAX_TRIES };
  for (const { name, data } of parts) {
    if (!['zTXt', 'iTXt', 'iCCP'].includes(name)) continue;
    // A zlib stream starts somewhere behind the keyword: each NUL may be the end of what stands before it.
    for (
      let nul = data.indexOf(0), tries = 0;
      nul >= 0 && tries < 5;
      nul = data.indexOf(0, nul + 1), tries++
    ) {
      for (const at of [nul + 1, nul + 2]) {
        const inflated = inflate(data.subarray(at), budget);
        if (inflated !== undefined) blocks.push(inflated);
      }
    }
  }
  return blocks;
}

function inflate(data: Uint8Array, budget: InflateBudget): Uint8Array | undefined {
  if (budget.bytes === 0 || budget.streams === 0 || !startsZlib(data)) return undefined;
  budget.streams -= 1;
  try {
    const inflated = inflateSync(data, { maxOutputLength: budget.bytes });
    budget.bytes -= inflated.length;
    return inflated;
  } catch (error) {
    // Damaged, too large or not compressed at all: there is nothing to be had from it. Too large may come a thousand times.
    if (error instanceof RangeError) budget.bytes = 0;
    return undefined;
  }
}

/** CMF: method 8 u4, window 0 to 7 u4; with FLG a multiple of 31. @see RFC 1950, 2.2 */
function startsZlib([cmf = 0, flg = 0]: Uint8Array): boolean {
  return (cmf & 15) === 8 && cmf >> 4 <= 7 && (256 * cmf + flg) % 31 === 0;
}
