import { createHash } from 'node:crypto';
import { inflateRawSync, inflateSync } from 'node:zlib';
import sharp from 'sharp';
import { expect } from 'vitest';
import { stripPicture } from '../../../nodes/metadata/strip/strip-picture.ts';
import { withFile } from '../../formats/samples.ts';
import { pillow } from '../../peers.ts';

/** Stands nowhere but where it was planted. */
export const SECRET = 'PLANTED-7f3a9c where nobody looks';
const MARK_CHARS = 'PLANTED-7f3a9c'.length;
const ENCODED_CHARS = 12;

/** Everything that the file says, and what anything in it inflates to, whatever its format. */
function haysOf(bytes: Uint8Array): Buffer[] {
  const file = Buffer.from(bytes);
  const hays = [file];
  const pixels: Buffer[] = [];
  for (let at = file.indexOf('IDAT'); at >= 0; at = file.indexOf('IDAT', at + 4))
    pixels.push(file.subarray(at + 4, at + 4 + file.readUInt32BE(at - 4)));
  for (const hay of [file, Buffer.concat(pixels)]) {
    for (let at = hay.indexOf(0x78); at >= 0; at = hay.indexOf(0x78, at + 1)) {
      for (const open of [() => inflateSync(hay.subarray(at)), () => inflateRawSync(hay.subarray(at + 2))]) {
        try {
          hays.push(open());
        } catch {
          // No stream starts here.
        }
      }
    }
  }
  return hays;
}

/** A text and what it looks like in UTF-16, base64 at each of three places, and hexadecimal digits. */
function spellingsOf(text: string): Buffer[] {
  const little = Buffer.from(text, 'utf16le');
  const encoded = [0, 1, 2].map((shift) =>
    Buffer.from(`${'x'.repeat(shift)}${text}`)
      .toString('base64')
      .slice(4, 4 + ENCODED_CHARS),
  );
  const hex = Buffer.from(text).toString('hex');
  return [
    Buffer.from(text),
    little,
    Buffer.from(little).swap16(),
    ...[...encoded, hex, hex.toUpperCase()].map((each) => Buffer.from(each)),
  ];
}

/** Whether any part of the file holds the secret, in whatever spelling. Nothing of ours looks. */
export function isThere(bytes: Uint8Array, text = SECRET): boolean {
  const hays = haysOf(bytes);
  return spellingsOf(text).some((spelling) => hays.some((hay) => hay.includes(spelling)));
}

async function pixelsOf(bytes: Uint8Array): Promise<{ readonly info: unknown; readonly sha256: string }> {
  const { data, info } = await sharp(bytes, { animated: true, failOn: 'error' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { info, sha256: createHash('sha256').update(data).digest('hex') };
}

const READ = [
  'import hashlib, sys',
  'from PIL import Image',
  'with Image.open(sys.argv[1]) as picture:',
  "    print(picture.mode, picture.size, hashlib.sha256(picture.convert('RGBA').tobytes()).hexdigest())",
].join('\n');

/** What Pillow decodes; undefined where there is none. */
async function pillowOf(bytes: Uint8Array): Promise<string | undefined> {
  return pillow.available
    ? await withFile(bytes, 'bin', (file) => pillow.run(['-c', READ, file]))
    : undefined;
}

/**
 * Asserts that `public` takes the secret out of a picture and leaves every pixel, as libvips and Pillow decode them.
 *
 * @param like a picture that decodes as the planted one must, where that one is not decoded without complaint
 */
export async function expectStripped(planted: Uint8Array, like = planted): Promise<Uint8Array> {
  expect(isThere(planted), 'nothing was planted').toBe(true);
  const { bytes } = stripPicture(planted, 'public', () => {});
  // A part of it would be too much already.
  expect(isThere(bytes, SECRET.slice(0, MARK_CHARS))).toBe(false);
  expect(await pixelsOf(bytes)).toEqual(await pixelsOf(like));
  expect(await pillowOf(bytes)).toBe(await pillowOf(like));
  expect(Buffer.compare(stripPicture(bytes, 'public', () => {}).bytes, bytes)).toBe(0);
  return bytes;
}
