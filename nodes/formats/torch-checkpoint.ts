import { LineageError } from '../kit/errors.ts';
import { startsWith } from './cursor.ts';

const ZIP_ENTRY = Uint8Array.of(0x50, 0x4b, 0x03, 0x04);
/** A local file header of ZIP up to its name. @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3.7 */
const ZIP_ENTRY_BYTES = 30;
const ZIP_NAME_LENGTH_AT = 26;
/** PROTO 2 · LONG1 of 10 bytes: 0x1950a86a20f9469cfc6c, with which files of torch before 1.6 begin. */
const TORCH_LEGACY = Uint8Array.of(
  0x80,
  2,
  0x8a,
  10,
  0x6c,
  0xfc,
  0x9c,
  0x46,
  0xf9,
  0x20,
  0x6a,
  0xa8,
  0x50,
  0x19,
);
/** Opcode PROTO; its argument is the protocol, 2 to 5. @see https://docs.python.org/3/library/pickletools.html */
const PROTO = 0x80;
const PROTOCOLS: ReadonlySet<number | undefined> = new Set([2, 3, 4, 5]);
/** What a pickle of protocol 2 to 5 goes on with: FRAME, an empty container, a global, a number or text. */
const SECOND_OPCODES: ReadonlySet<number | undefined> = new Set(
  [...'}]()cKMJGX\x8a\x8b\x8c\x8d\x95\x88\x89N\x8f'].map((opcode) => opcode.charCodeAt(0)),
);
/** An object, or white space before one. */
const JSON_STARTS: ReadonlySet<number | undefined> = new Set([0x7b, 0x20, 0x0a, 0x0d, 0x09]);

/**
 * Refuses PyTorch checkpoints, which are pickles whatever their file is called (.ckpt, .pt, .pth, .bin): a pickle is
 * a program for the machine that opens it. It goes by content, and runs and unpacks nothing.
 *
 * @param head the first bytes of a file; 64 KiB are enough, since torch writes the pickle first.
 * @throws LineageError `weights/pickle`; anything else passes
 */
export function refusePickle(head: Uint8Array, file?: string): void {
  const kind = nameKind(head);
  if (kind === undefined) return;
  throw new LineageError(
    'weights/pickle',
    `expected safetensors, got ${kind}`,
    file === undefined ? {} : { file },
  );
}

function nameKind(head: Uint8Array): string | undefined {
  if (startsWith(head, ZIP_ENTRY)) return holdsPickle(head) ? 'a PyTorch archive with data.pkl' : undefined;
  if (startsWith(head, TORCH_LEGACY)) return 'a PyTorch file of before 1.6';
  const isPickle = head[0] === PROTO && PROTOCOLS.has(head[1]) && SECOND_OPCODES.has(head[2]);
  return isPickle && !beginsSafetensors(head) ? 'a pickle' : undefined;
}

/**
 * A header's length of 0x5d0280 begins like an empty list of protocol 2. Here the upper half of the length is zero
 * and JSON follows; in a pickle zeros at 4 to 7 are those of a frame's length, and another zero follows.
 */
function beginsSafetensors(head: Uint8Array): boolean {
  const isLength = head[4] === 0 && head[5] === 0 && head[6] === 0 && head[7] === 0;
  return isLength && JSON_STARTS.has(head[8]);
}

/** Whether an entry named `.../data.pkl` begins within the head. */
function holdsPickle(head: Uint8Array): boolean {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  for (let at = 0; at >= 0; at = bytes.indexOf(ZIP_ENTRY, at + 1)) {
    if (at + ZIP_ENTRY_BYTES > bytes.length) return false;
    const name = at + ZIP_ENTRY_BYTES;
    const end = name + bytes.readUInt16LE(at + ZIP_NAME_LENGTH_AT);
    if (/(?:^|\/)data\.pkl$/.test(bytes.toString('latin1', name, end))) return true;
  }
  return false;
}
