import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, crc32, deflateRawSync, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { createWarningLog } from '../../../nodes/kit/warning-log.ts';
import { stripPicture } from '../../../nodes/metadata/strip/strip-picture.ts';
import { withChunks, withSegment } from '../../bridge/cli/pictures.ts';
import { webpChunk } from '../../formats/manifest-store.ts';
import { expectSamePixels, makeImage } from '../../formats/samples.ts';
import { isThere, SECRET } from './nowhere.ts';

const WORDS = Buffer.from(SECRET);
const MEBIBYTE = 1 << 20;

function strip(bytes: Uint8Array) {
  const { warn, list } = createWarningLog();
  const stripped = stripPicture(bytes, 'public', warn);
  return { ...stripped, warnings: list.map(({ code, message }) => `${code}: ${message}`) };
}

/** What is told of a file of which these were kept as they are: once, and in the receipt as well. */
function expectTold(bytes: Uint8Array, ...unread: readonly string[]): Uint8Array {
  const stripped = strip(bytes);
  expect(stripped.unread).toEqual(unread);
  expect(stripped.warnings).toEqual([`strip/unread: bytes inside ${unread.join(', ')} were not followed`]);
  return stripped.bytes;
}

function riff(...chunks: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP'), ...chunks]);
  body.writeUInt32LE(body.length - 8, 4);
  return body;
}

/** The data of the first chunk of a WebP that has no VP8X. */
function codedOf(webp: Uint8Array): Buffer {
  const file = Buffer.from(webp);
  return file.subarray(20, 20 + file.readUInt32LE(16));
}

describe('a WebP, public, tells of bytes that may be in it', () => {
  test('behind the data of a lossy picture', async () => {
    const plain = await makeImage('webp');
    expect(Buffer.from(plain).toString('latin1', 12, 16)).toBe('VP8 ');
    const planted = riff(webpChunk('VP8 ', Buffer.concat([codedOf(plain), WORDS])));
    const bytes = expectTold(planted, 'coded pixel data of VP8');
    expect(isThere(bytes)).toBe(true);
    await expectSamePixels(bytes, plain);
    expectTold(plain, 'coded pixel data of VP8');
  });

  test('in a lossless picture that cannot be followed to its end', async () => {
    const plain = await makeImage('webp', { lossless: true });
    const cut = codedOf(plain).subarray(0, -9);
    // Another version of the coding, which nobody knows.
    const other = Buffer.concat([codedOf(plain), WORDS]);
    other[4] = (other[4] ?? 0) | 0x20;
    for (const data of [cut, other]) expectTold(riff(webpChunk('VP8L', data)), 'coded pixel data of VP8L');
  });

  test('in an alpha plane that cannot be followed, or of a method that there is not', async () => {
    const plain = await sharp({ create: { width: 40, height: 30, channels: 4, background: '#1238' } })
      .webp()
      .toBuffer();
    const at = plain.indexOf('ALPH');
    const end = at + 8 + plain.readUInt32LE(at + 4);
    for (const method of [1, 2, 3]) {
      const alpha = webpChunk('ALPH', Buffer.concat([Buffer.from([method, 0xff]), WORDS]));
      const planted = riff(plain.subarray(12, at), alpha, plain.subarray(end + (end % 2)));
      expectTold(planted, 'coded pixel data of ALPH', 'coded pixel data of VP8');
    }
  });

  test('in a frame of an animation', async () => {
    const frames = [1, 2].map((each) => ({
      create: { width: 8, height: 8, channels: 3 as const, background: { r: 90 * each, g: 0, b: 0 } },
    }));
    const inputs = await Promise.all(frames.map((each) => sharp(each).png().toBuffer()));
    const joined = (lossless: boolean) =>
      sharp(inputs, { join: { animated: true } })
        .webp({ lossless })
        .toBuffer();
    expectTold(await joined(false), 'coded pixel data of ANMF');
    expect(strip(await joined(true)).warnings).toEqual([]);
  });
});

test('an AVIF, public, tells of its tiles', async () => {
  const plain = await makeImage('avif');
  const { bytes, unread } = strip(plain);
  expect([unread, Buffer.compare(bytes, plain)]).toEqual([['coded pixel data of av01'], 0]);
  expectTold(plain, 'coded pixel data of av01');
});

/**
 * A profile of version 4 with tables of kind mAB (ICC.1:2022, 10.12): one B curve each, all of them straight; the words
 * stand behind them, where no offset points.
 */
function tableProfile(): Buffer {
  const curve = Buffer.from('637572760000000000000000', 'hex');
  const head = Buffer.alloc(32);
  head.write('mAB ');
  head.set([3, 3], 8);
  head.writeUInt32BE(32, 12);
  const table = Buffer.concat([head, curve, curve, curve, WORDS, Buffer.alloc(3)]);
  const icc = Buffer.alloc(128 + 4 + 12);
  icc.writeUInt32BE(icc.length + table.length);
  icc.writeUInt32BE(0x0440_0000, 8);
  icc.write('mntrRGB XYZ ', 12);
  icc.write('acsp', 36);
  icc.writeUInt32BE(1, 128);
  icc.write('A2B0', 132);
  icc.writeUInt32BE(icc.length, 136);
  icc.writeUInt32BE(table.length, 140);
  return Buffer.concat([icc, table]);
}

describe('tables of a profile that nobody follows are told', () => {
  const icc = tableProfile();

  test('in a PNG', async () => {
    const data = Buffer.concat([Buffer.from('icc\0\0'), deflateSync(icc)]);
    const bytes = expectTold(
      withChunks(await makeImage('png'), [{ type: 'iCCP', data }]),
      'colour tables of iCCP',
    );
    expect(isThere(bytes)).toBe(true);
  });

  test('in a JPEG', async () => {
    const data = Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1'), icc]);
    const bytes = expectTold(
      withSegment(await makeImage('jpeg'), { marker: 0xe2, data }),
      'colour tables of APP2',
    );
    expect(isThere(bytes)).toBe(true);
    // Bare already: it is told all the same.
    expectTold(bytes, 'colour tables of APP2');
  });

  test('in a WebP', async () => {
    const plain = await makeImage('webp', { lossless: true, width: 64, height: 48 });
    const flags = Buffer.from('20000000' + '3f0000' + '2f0000', 'hex');
    const bytes = expectTold(
      riff(webpChunk('VP8X', flags), webpChunk('ICCP', icc), plain.subarray(12)),
      'colour tables of ICCP',
    );
    expect(isThere(bytes)).toBe(true);
  });

  test('in an AVIF', async () => {
    const withProfile = await sharp(await makeImage('png'))
      .withIccProfile('p3')
      .avif()
      .toBuffer();
    const at = withProfile.indexOf('colrrICC');
    const end = at - 4 + withProfile.readUInt32BE(at - 4);
    // Of the same length as the one that is there.
    expect(end - at - 8).toBeGreaterThan(icc.length);
    withProfile.fill(0, at + 8, end);
    withProfile.set(icc, at + 8);
    const bytes = expectTold(withProfile, 'coded pixel data of av01', 'colour tables of colr');
    expect(isThere(bytes)).toBe(true);
  });
});

test.each(['png', 'jpeg'] as const)('an ordinary %s has nothing to tell', async (format) => {
  expect(strip(await makeImage(format)).unread).toEqual([]);
});

/** length u32 BE · type · data · CRC-32 of both */
function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const out = Buffer.alloc(8 + body.length);
  out.writeUInt32BE(data.length);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), 4 + body.length);
  return out;
}

/** A zlib stream of so many MiB of zeros, made piece by piece. */
function zeros(mebibytes: number): Buffer {
  const piece = deflateRawSync(Buffer.alloc(MEBIBYTE), { finishFlush: constants.Z_SYNC_FLUSH });
  // Adler-32 of n zeros: the low half stays 1, the high half counts them.
  const sum = Buffer.alloc(4);
  sum.writeUInt16BE((mebibytes * MEBIBYTE) % 65_521);
  sum[3] = 1;
  return Buffer.concat([
    Buffer.from('789c', 'hex'),
    ...Array.from({ length: mebibytes }, () => piece),
    Buffer.from('0300', 'hex'),
    sum,
  ]);
}

/** Of zeros, of which a few are behind the last row; where it has a palette, with words in it. */
function largePng(colourType: 3 | 6, width: number, height: number, mebibytes: number): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([colourType === 3 ? 8 : 16, colourType], 8);
  const palette = Buffer.concat([Buffer.alloc(3), WORDS]).subarray(0, 36);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', head),
    ...(colourType === 3 ? [pngChunk('PLTE', palette)] : []),
    pngChunk('IDAT', zeros(mebibytes)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

// Not `resourceUsage`: that of a new process begins with what its parent took.
const MEASURE = `
  const { readFileSync, writeFileSync } = await import('node:fs');
  const { stripPicture } = await import(${JSON.stringify(new URL('../../../nodes/metadata/strip/strip-picture.ts', import.meta.url).href)});
  const { bytes, unread } = stripPicture(readFileSync(process.argv[1]), 'public', () => {});
  writeFileSync(process.argv[1], bytes);
  const [, kibibytes] = /VmHWM:\\s*(\\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
  console.log(JSON.stringify({ unread, peak: kibibytes / 1024 }));
`;

describe.skipIf(process.platform !== 'linux')('a process that strips a small PNG of many pixels', () => {
  test.each([
    ['in 16 bits with alpha', 6, 8_192, 8_207, 513],
    ['with a palette', 3, 20_480, 15_359, 300],
  ] as const)(
    '%s, stays below 256 MiB',
    (_, colourType, width, height, mebibytes) => {
      const png = largePng(colourType, width, height, mebibytes);
      const file = join(tmpdir(), `lineage-unread-${process.pid}-${colourType}.png`);
      try {
        writeFileSync(file, png);
        const told = execFileSync(process.execPath, ['--input-type=module', '-e', MEASURE, file], {
          encoding: 'utf8',
        });
        const { unread, peak } = JSON.parse(told) as { unread: string[]; peak: number };
        expect([png.length < 550_000, unread]).toEqual([true, []]);
        expect(peak).toBeLessThan(256);
        const stripped = readFileSync(file);
        expect(stripped.includes(SECRET.slice(0, 7))).toBe(false);
        // What stood behind the last row is gone.
        expect(Buffer.compare(stripped, png)).not.toBe(0);
      } finally {
        rmSync(file, { force: true });
      }
    },
    60_000,
  );
});
