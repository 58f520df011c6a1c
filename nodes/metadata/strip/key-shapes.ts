/** Shapes that services give their keys: OpenAI and its kin, Hugging Face, GitHub, Groq, Replicate, Google, Slack, AWS. */
const SHAPES =
  'sk-[\\w-]{16,}|hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\\w{20,}|gsk_[A-Za-z0-9]{20,}|' +
  'r8_[A-Za-z0-9]{20,}|AIza[\\w-]{30,}|xox[abprs]-[\\w-]{10,}|AKIA[A-Z0-9]{16}';
/** JWT. It starts where a run of its characters does: from each place within one, the search would be quadratic. */
const TOKEN = '(?<![\\w-])eyJ[\\w-]{8,}\\.[\\w-]{8,}\\.[\\w-]{8,}';

/** A key in a text. */
export const KEY_SHAPE = new RegExp(`\\b(?:${SHAPES})|${TOKEN}`, 'g');
/** Among bytes, what stands before a key may be the length of it, which may look like a letter. */
const LOOSE_SHAPE = new RegExp(`(?<!\\w\\w)(?:${SHAPES})|${TOKEN}`, 'g');
/** Large blocks are searched piece by piece; a key that lies across a border is whole in one of two. */
const WINDOW_BYTES = 1 << 20;
const OVERLAP_BYTES = 4_096;

const UTF16 = ['utf-16le', 'utf-16be'].map((name) => new TextDecoder(name, { ignoreBOM: true }));

/** Whether a key lies in a block, as Latin-1 or UTF-16 of either order. */
export function holdsKey(block: Uint8Array, isText = false): boolean {
  for (let at = 0; at < block.length; at += WINDOW_BYTES) {
    const window = block.subarray(at, at + WINDOW_BYTES + OVERLAP_BYTES);
    if (findKeys(window, isText ? KEY_SHAPE : LOOSE_SHAPE).length > 0) return true;
  }
  return false;
}

/** A block of the same length, with NUL bytes where keys were: nothing that an offset points to moves. */
export function eraseKeys(block: Uint8Array): Uint8Array {
  const out = Uint8Array.from(block);
  for (const { from, to } of findKeys(block, LOOSE_SHAPE)) out.fill(0, from, to);
  return out;
}

function findKeys(block: Uint8Array, shape: RegExp): { readonly from: number; readonly to: number }[] {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  const wide = [0, 1].flatMap((first) => {
    const even = evenBytes(block, first);
    return UTF16.map((decoder) => ({ text: decoder.decode(even), first, width: 2 }));
  });
  const views = [{ text: bytes.toString('latin1'), first: 0, width: 1 }, ...wide];
  return views.flatMap(({ text, first, width }) =>
    [...text.matchAll(shape)].map(({ 0: key, index }) => ({
      from: first + index * width,
      to: first + (index + key.length) * width,
    })),
  );
}

/** A copy, so that it starts where a decoder may read two bytes at once. */
function evenBytes(block: Uint8Array, from: number): Uint8Array {
  return Uint8Array.from(block.subarray(from, from + ((block.length - from) & ~1)));
}
