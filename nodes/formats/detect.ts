import type { ImageFormat } from '../kit/values.ts';
import { latin1, startsWith } from './cursor.ts';

/** The eight bytes every PNG starts with. @see https://www.w3.org/TR/png-3/#3PNGsignature */
export const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** SOI and the first byte of the next marker. */
const JPEG_START = Uint8Array.of(0xff, 0xd8, 0xff);

/** Brands of AVIF stills and sequences, as major or compatible brand. */
const AVIF_BRANDS = ['avif', 'avis'];

/** How much of `ftyp` is looked at: 64 brands are many more than any writer lists. */
const MAX_FTYP_BYTES = 16 + 64 * 4;

/** Tells the container by its content; the file's name plays no part. Undefined for anything else. */
export function detectImageFormat(bytes: Uint8Array): ImageFormat | undefined {
  if (startsWith(bytes, PNG_SIGNATURE)) return 'png';
  if (startsWith(bytes, JPEG_START)) return 'jpeg';
  const head = latin1(bytes.subarray(0, MAX_FTYP_BYTES));
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'webp';
  if (head.slice(4, 8) === 'ftyp' && brandsOf(bytes, head).some((brand) => AVIF_BRANDS.includes(brand)))
    return 'avif';
  return undefined;
}

/** `ftyp`: size u32 BE · 'ftyp' · major brand · minor version u32 · compatible brands. */
function brandsOf(bytes: Uint8Array, head: string): string[] {
  const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
  const brands = [head.slice(8, 12)];
  for (let at = 16; at + 4 <= Math.min(size, head.length); at += 4) brands.push(head.slice(at, at + 4));
  return brands;
}
