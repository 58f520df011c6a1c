import { deflateSync, inflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { isStandardProfile } from '../../../nodes/formats/parts/bare-profile.ts';
import { stripPicture } from '../../../nodes/metadata/strip/strip-picture.ts';
import { pngChunks, withChunks, withSegment } from '../../bridge/cli/pictures.ts';
import { webpChunk } from '../../formats/manifest-store.ts';
import { expectStripped, isThere, SECRET } from './nowhere.ts';

const WORDS = Buffer.from(SECRET);
const [WIDTH, HEIGHT] = [90, 70];

/** Noise over a gradient, so that scans have coefficients of every kind. */
function picture(): Sharp {
  const data = Buffer.alloc(WIDTH * HEIGHT * 3);
  let state = 7;
  for (let at = 0; at < data.length; at++) {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    data[at] = ((at / 50) & 127) + ((state >> 16) & 63);
  }
  return sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
}

/** Where each marker of a JPEG stands, scans passed over: FF with what is no data, no restart and no fill byte. */
function markersOf(jpeg: Buffer): { readonly code: number; readonly at: number }[] {
  const found: { code: number; at: number }[] = [];
  for (let at = 2; at < jpeg.length; ) {
    const code = jpeg[at + 1] ?? 0;
    found.push({ code, at });
    if (code === 0xd9) return found;
    at += 2 + jpeg.readUInt16BE(at + 2);
    if (code !== 0xda) continue;
    while (
      jpeg[at] !== 0xff ||
      jpeg[at + 1] === 0 ||
      ((jpeg[at + 1] ?? 0) >= 0xd0 && (jpeg[at + 1] ?? 0) <= 0xd7)
    )
      at++;
  }
  return found;
}

function insert(bytes: Buffer, at: number, ...added: Uint8Array[]): Buffer {
  return Buffer.concat([bytes.subarray(0, at), ...added, bytes.subarray(at)]);
}

/** FF · marker · length u16 BE · data */
function segment(marker: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

const CODINGS = {
  'one scan': picture().jpeg(),
  'one scan, standard tables': picture().jpeg({ optimiseCoding: false }),
  'one scan, colours as fine as light': picture().jpeg({ chromaSubsampling: '4:4:4', quality: 100 }),
  'many scans': picture().jpeg({ progressive: true }),
  'many scans, by mozjpeg': picture().jpeg({ mozjpeg: true, quality: 95 }),
  'grey, many scans': picture().toColourspace('b-w').jpeg({ progressive: true }),
  'four colours': picture().toColourspace('cmyk').jpeg(),
};

describe.each(Object.entries(CODINGS))('a JPEG of %s, public', (_, coding) => {
  test('is left as libjpeg wrote it', async () => {
    const jpeg = await coding.clone().toBuffer();
    const { bytes, removed } = stripPicture(jpeg, 'public', () => {
      throw new Error('expected no warning');
    });
    // Four colours come with Adobe's mark; nothing else of it is there to be taken out.
    expect([Buffer.compare(bytes, jpeg), removed.filter((name) => name !== 'rests in APP14')]).toEqual([
      0,
      [],
    ]);
  });

  test('has no text behind any of its scans', async () => {
    const jpeg = await coding.clone().toBuffer();
    const markers = markersOf(jpeg);
    const ends = markers.flatMap(({ code }, at) => (code === 0xda ? [markers[at + 1]?.at ?? 0] : []));
    for (const at of ends) {
      const { bytes } = stripPicture(insert(jpeg, at, WORDS), 'public', () => {});
      expect(Buffer.compare(bytes, jpeg)).toBe(0);
    }
    await expectStripped(insert(jpeg, ends.at(-1) ?? 0, WORDS), jpeg);
  });
});

describe('a JPEG, public, has no text', () => {
  test('in tables that no scan uses, at any place before the scan', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    const values = Buffer.concat([WORDS, Buffer.alloc(64, 1)]).subarray(0, 64);
    const quantisation = segment(0xdb, Buffer.concat([Buffer.from([3]), values]));
    const codes = Buffer.alloc(16);
    codes[15] = WORDS.length;
    const huffman = segment(0xc4, Buffer.concat([Buffer.from([0x13]), codes, WORDS]));
    for (const table of [quantisation, huffman]) {
      const bytes = await expectStripped(insert(jpeg, 2, table), jpeg);
      expect(Buffer.compare(bytes, jpeg)).toBe(0);
    }
    // A used table's number: the later one counts.
    const replaced = segment(0xdb, Buffer.concat([Buffer.from([0]), values]));
    expect(Buffer.compare(await expectStripped(insert(jpeg, 2, replaced), jpeg), jpeg)).toBe(0);
  });

  test('as values of codes that never occur', async () => {
    const grey = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#777' } })
      .toColourspace('b-w')
      .jpeg()
      .toBuffer();
    const { at = 0 } = markersOf(grey).findLast(({ code }) => code === 0xc4) ?? {};
    const end = at + 2 + grey.readUInt16BE(at + 2);
    const counts = Buffer.from(grey.subarray(at + 5, at + 21));
    counts[15] = (counts[15] ?? 0) + WORDS.length;
    const data = Buffer.concat([grey.subarray(at + 4, at + 5), counts, grey.subarray(at + 21, end), WORDS]);
    const planted = Buffer.concat([grey.subarray(0, at), segment(0xc4, data), grey.subarray(end)]);
    await expectStripped(planted, grey);
  });

  test('in segments that are there twice, or say nothing to a decoder', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    const jfif = Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1');
    const scattered = (SECRET.match(/.{1,5}/g) ?? []).map((five) => {
      const copy = Buffer.from(jfif);
      copy.write(five, 7);
      return segment(0xe0, copy);
    });
    const first = insert(jpeg, 2, segment(0xe0, jfif));
    const { bytes } = stripPicture(insert(first, 20, ...scattered), 'public', () => {});
    expect(Buffer.compare(bytes, first)).toBe(0);
    const adobe = Buffer.concat([Buffer.from('Adobe'), WORDS.subarray(0, 6), Buffer.from([1])]);
    const { bytes: plain } = stripPicture(
      withSegment(jpeg, { marker: 0xee, data: adobe }),
      'public',
      () => {},
    );
    expect(Buffer.from(plain).includes(WORDS.subarray(0, 6))).toBe(false);
  });

  test('between the scans of a restart interval, or behind the last restart', async () => {
    const jpeg = await readWithRestarts();
    const restart = jpeg.indexOf(Buffer.from('ffd0', 'hex'));
    expect(restart).toBeGreaterThan(0);
    const clean = stripPicture(jpeg, 'public', () => {}).bytes;
    expect(Buffer.compare(clean, jpeg)).toBe(0);
    for (const at of [restart, jpeg.length - 2]) {
      const { bytes } = stripPicture(insert(jpeg, at, WORDS), 'public', () => {});
      expect(Buffer.compare(bytes, jpeg)).toBe(0);
    }
  });

  test('in data that cannot be followed without a warning', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    const { at = 0 } = markersOf(jpeg).at(-1) ?? {};
    const codes: string[] = [];
    stripPicture(
      Buffer.concat([jpeg.subarray(0, at - 900), WORDS, jpeg.subarray(at)]),
      'public',
      (code) => void codes.push(code),
    );
    expect(codes).toContain('strip/unread');
  });
});

/**
 * 16 x 8 grey samples of two blocks with a restart between them. Each block: code 0 of the DC table (size 0), code 0 of
 * the AC table (end of block), filled up with ones: 00111111.
 */
async function readWithRestarts(): Promise<Buffer> {
  const one = Buffer.alloc(17);
  one[1] = 1;
  const jpeg = Buffer.concat([
    Buffer.from('ffd8', 'hex'),
    segment(0xdb, Buffer.concat([Buffer.from([0]), Buffer.alloc(64, 1)])),
    segment(0xc0, Buffer.from('08000800100101' + '1100', 'hex')),
    segment(0xc4, Buffer.concat([Buffer.from([0x00]), Buffer.from([1]), Buffer.alloc(15), Buffer.from([0])])),
    segment(0xc4, Buffer.concat([Buffer.from([0x10]), Buffer.from([1]), Buffer.alloc(15), Buffer.from([0])])),
    segment(0xdd, Buffer.from('0001', 'hex')),
    segment(0xda, Buffer.from('0101' + '00' + '003f00', 'hex')),
    Buffer.from('3f' + 'ffd0' + '3f' + 'ffd9', 'hex'),
  ]);
  const { data } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  expect(new Set(data)).toEqual(new Set([128]));
  return jpeg;
}

/** A profile as libvips brings it, with words in every place that has room for some. */
async function plantedProfile(name: 'p3' | 'srgb'): Promise<Buffer> {
  const { icc } = await sharp(await picture().withIccProfile(name).png().toBuffer()).metadata();
  if (icc === undefined) throw new Error('expected a profile');
  const table = 128 + 4;
  const count = icc.readUInt32BE(128);
  // Two tags more: a text of its own kind, and copies of words in a description.
  const shift = 24;
  const tags = Buffer.from(icc.subarray(table, table + 12 * count));
  for (let at = 0; at < count; at++) tags.writeUInt32BE(tags.readUInt32BE(12 * at + 4) + shift, 12 * at + 4);
  const body = icc.subarray(table + 12 * count);
  const text = Buffer.concat([Buffer.from('text\0\0\0\0'), WORDS, Buffer.from([0])]);
  const wide = Buffer.concat([Buffer.from('mluc\0\0\0\0'), Buffer.from(SECRET, 'utf16le').swap16()]);
  const entry = (tag: string, offset: number, length: number): Buffer => {
    const own = Buffer.alloc(12);
    own.write(tag);
    own.writeUInt32BE(offset, 4);
    own.writeUInt32BE(length, 8);
    return own;
  };
  const at = icc.length + shift;
  const head = Buffer.from(icc.subarray(0, table));
  head.write(SECRET.slice(0, 4), 48);
  head.writeUInt32BE(count + 2, 128);
  const out = Buffer.concat([
    head,
    tags,
    entry('prVt', at, text.length),
    entry('dmdd', at + text.length, wide.length),
    body,
    text,
    wide,
    WORDS,
    // libpng takes none whose length is no multiple of four.
    Buffer.alloc(3 - ((at + text.length + wide.length + WORDS.length + 3) % 4)),
  ]);
  out.writeUInt32BE(out.length, 0);
  return out;
}

describe('a colour profile, public, has no words', () => {
  const PUT = {
    png: async (icc: Buffer) =>
      withChunks(await picture().png().toBuffer(), [
        { type: 'iCCP', data: Buffer.concat([WORDS, Buffer.from('\0\0'), deflateSync(icc)]) },
      ]),
    jpeg: async (icc: Buffer) =>
      withSegment(await picture().jpeg().toBuffer(), {
        marker: 0xe2,
        data: Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1'), icc]),
      }),
    webp: async (icc: Buffer) => {
      const plain = await picture().webp({ lossless: true }).toBuffer();
      const flags = Buffer.from(
        `20000000${WIDTH.toString(16).padStart(2, '0')}0000${HEIGHT.toString(16)}0000`,
        'hex',
      );
      flags[4] = WIDTH - 1;
      flags[7] = HEIGHT - 1;
      const body = Buffer.concat([
        Buffer.from('RIFF\0\0\0\0WEBP'),
        webpChunk('VP8X', flags),
        webpChunk('ICCP', icc),
        plain.subarray(12),
      ]);
      body.writeUInt32LE(body.length - 8, 4);
      return body;
    },
  };

  test.each(Object.entries(PUT))('in a %s, and gives the same colours', async (_, put) => {
    const icc = await plantedProfile('p3');
    const planted = await put(icc);
    const bytes = await expectStripped(planted);
    const { icc: kept } = await sharp(bytes).metadata();
    expect(kept?.length).toBeLessThan(icc.length);
    // Flags, maker, model and attributes; who made it, its own hash, and what nobody uses.
    expect(
      [...(kept?.subarray(44, 64) ?? [1]), ...(kept?.subarray(80, 128) ?? [])].some((byte) => byte !== 0),
    ).toBe(false);
    // Above, libvips turned both into sRGB by their profiles: here it is seen that these did something.
    const [turned, plain] = await Promise.all(
      [bytes, await put(await plantedProfile('srgb'))].map((each) => sharp(each).raw().toBuffer()),
    );
    expect(turned && plain && Buffer.compare(turned, plain)).not.toBe(0);
  });

  test.each(Object.entries(PUT))('and none is left in a %s where it says sRGB', async (_, put) => {
    const icc = await plantedProfile('srgb');
    expect(isStandardProfile(icc)).toBe(true);
    expect(isStandardProfile(await plantedProfile('p3'))).toBe(false);
    const bytes = await expectStripped(await put(icc));
    expect((await sharp(bytes).metadata()).icc).toBeUndefined();
  });
});

describe('a PNG, public, has no text', () => {
  const headOf = (png: Buffer): Buffer => png.subarray(0, 33);
  const compressed = (png: Buffer): Buffer =>
    Buffer.concat(pngChunks(png).flatMap(({ type, data }) => (type === 'IDAT' ? [data] : [])));

  test.each([
    ['sPLT', Buffer.concat([WORDS, Buffer.from('\0\x08')])],
    ['prVt', WORDS],
    ['cHRM', WORDS.subarray(0, 32)],
    ['mDCV', WORDS.subarray(0, 24)],
    ['PLTE', WORDS.subarray(0, 33)],
    ['fdAT', WORDS],
    ['fcTL', WORDS.subarray(0, 26)],
  ])('in a %s', async (type, data) => {
    const png = await picture().png().toBuffer();
    const planted = withChunks(png, [{ type, data }]);
    const { bytes } = stripPicture(planted, 'public', () => {});
    expect(Buffer.from(bytes).includes(data.subarray(0, 20))).toBe(false);
    expect(pngChunks(bytes)).toEqual(pngChunks(png).filter(({ type: each }) => each !== 'pHYs'));
  });

  test('in many chunks of which decoders take the first', async () => {
    const png = await picture().png().toBuffer();
    const pieces = SECRET.match(/.{1,4}/g) ?? [];
    const gamma = { type: 'gAMA', data: Buffer.from('0000b18f', 'hex') };
    const many = pieces.map((four) => ({ type: 'gAMA', data: Buffer.from(four.padEnd(4)) }));
    const { bytes } = stripPicture(withChunks(png, [gamma, ...many]), 'public', () => {});
    expect(pngChunks(bytes).filter(({ type }) => type === 'gAMA')).toEqual([gamma]);
    expect(pngChunks(bytes)).toHaveLength(pngChunks(png).filter(({ type }) => type !== 'pHYs').length + 1);
  });

  test('in what its pixels inflate to, behind the last row', async () => {
    const png = await picture().png().toBuffer();
    const rows = inflateSync(compressed(png));
    const longer = deflateSync(Buffer.concat([rows, WORDS]));
    const planted = withChunks(headOf(png), [
      { type: 'IDAT', data: longer },
      { type: 'IEND', data: Buffer.alloc(0) },
    ]);
    await expectStripped(planted);
    // The same in two chunks.
    const halves = withChunks(headOf(png), [
      { type: 'IDAT', data: longer.subarray(0, 99) },
      { type: 'IDAT', data: longer.subarray(99) },
      { type: 'IEND', data: Buffer.alloc(0) },
    ]);
    await expectStripped(halves);
  });

  test('behind the checksum of its pixels, in one chunk or more', async () => {
    const png = await picture().png({ palette: false }).toBuffer();
    const stream = compressed(png);
    const end = { type: 'IEND', data: Buffer.alloc(0) };
    await expectStripped(
      withChunks(headOf(png), [{ type: 'IDAT', data: Buffer.concat([stream, WORDS]) }, end]),
    );
  });

  test.each([false, true])('among the colours that no pixel has, interlaced %s', async (progressive) => {
    const three = await sharp({ create: { width: 21, height: 13, channels: 3, background: 'red' } })
      .composite([
        { input: { create: { width: 5, height: 5, channels: 3, background: 'blue' } }, left: 3, top: 2 },
        { input: { create: { width: 5, height: 5, channels: 4, background: '#0f08' } }, left: 9, top: 6 },
      ])
      .png({ palette: true, progressive })
      .toBuffer();
    const chunks = pngChunks(three);
    const palette = chunks.find(({ type }) => type === 'PLTE');
    const depth = chunks[0]?.data[8] ?? 0;
    if (palette === undefined) throw new Error('expected a palette');
    // Widened to what the depth has room for; at eight bits, or the words would not fit.
    const room = 3 * 2 ** depth - palette.data.length;
    const words = WORDS.subarray(0, room);
    const planted = withChunks(
      headOf(three),
      chunks
        .slice(1)
        .map(({ type, data }) => ({ type, data: type === 'PLTE' ? Buffer.concat([data, words]) : data })),
    );
    const { bytes } = stripPicture(planted, 'public', () => {});
    expect(words.length).toBeGreaterThanOrEqual(3);
    expect(Buffer.from(bytes).includes(words)).toBe(false);
    const [a, b] = await Promise.all([bytes, three].map((each) => sharp(each).raw().toBuffer()));
    expect(a && b && Buffer.compare(a, b)).toBe(0);
  });
});

describe('a WebP, public, has no text', () => {
  test.each(['ALPH', 'ANIM', 'ANMF', 'ICCP', 'prVt'])('in a stray %s', async (type) => {
    const plain = await picture().webp({ lossless: true }).toBuffer();
    const flags = Buffer.from('00000000' + '590000' + '450000', 'hex');
    const planted = Buffer.concat([
      Buffer.from('RIFF\0\0\0\0WEBP'),
      webpChunk('VP8X', flags),
      webpChunk(type, WORDS),
      plain.subarray(12),
    ]);
    planted.writeUInt32LE(planted.length - 8, 4);
    await expectStripped(planted, plain);
  });
});

describe('a lossless WebP, public', () => {
  const small = picture().resize(9, 5);
  const CODINGS = {
    'with groups of codes': picture().resize(700, 500).webp({ lossless: true }),
    'soon made': picture().webp({ lossless: true, effort: 0 }),
    'made with all effort': picture().webp({ lossless: true, effort: 6 }),
    small: small.clone().webp({ lossless: true }),
    'of sixteen colours': picture().threshold(90).resize(64, 64).webp({ lossless: true }),
    'of one colour': sharp({ create: { width: 30, height: 20, channels: 4, background: '#1236' } }).webp({
      lossless: true,
    }),
    'near to lossless': picture().webp({ nearLossless: true, quality: 40 }),
  };

  test.each(Object.entries(CODINGS))('%s has no text behind its pixels', async (_, coding) => {
    const plain = await coding.clone().toBuffer();
    expect(Buffer.compare(stripPicture(plain, 'public', () => {}).bytes, plain)).toBe(0);
    const length = plain.readUInt32LE(16);
    const planted = Buffer.concat([
      plain.subarray(0, 12),
      webpChunk('VP8L', Buffer.concat([plain.subarray(20, 20 + length), WORDS])),
    ]);
    planted.writeUInt32LE(planted.length - 8, 4);
    expect(Buffer.compare(await expectStripped(planted, plain), plain)).toBe(0);
  });
});

test.each([0, 100])(
  'a WebP, public, has no text behind its alpha plane, of quality %i',
  async (alphaQuality) => {
    const plain = await picture().ensureAlpha(0.5).webp({ quality: 70, alphaQuality }).toBuffer();
    expect(Buffer.compare(stripPicture(plain, 'public', () => {}).bytes, plain)).toBe(0);
    const at = plain.indexOf('ALPH');
    const end = at + 8 + plain.readUInt32LE(at + 4);
    const alpha = webpChunk('ALPH', Buffer.concat([plain.subarray(at + 8, end), WORDS]));
    const planted = Buffer.concat([plain.subarray(0, at), alpha, plain.subarray(end + (end % 2))]);
    planted.writeUInt32LE(planted.length - 8, 4);
    expect(Buffer.compare(await expectStripped(planted, plain), plain)).toBe(0);
  },
);

describe('an AVIF, public, has no text', () => {
  const plain = picture().ensureAlpha(0.5).avif({ quality: 60 }).toBuffer();

  /** A box of the file made longer at its end, with the boxes around it, and the offsets of all items behind it. */
  async function grown(path: readonly string[], added: Buffer, write = added): Promise<Buffer> {
    const file = Buffer.from(await plain);
    let [from, to] = [0, file.length];
    const around: number[] = [];
    for (const wanted of path) {
      const heads: Readonly<Record<string, number>> = { meta: 12, iinf: 14 };
      let at = from;
      while (at < to && file.toString('latin1', at + 4, at + 8) !== wanted) at += file.readUInt32BE(at);
      if (at >= to) throw new Error(`expected a box ${wanted}`);
      around.push(at);
      [from, to] = [at + (heads[wanted] ?? 8), at + file.readUInt32BE(at)];
    }
    const out = Buffer.concat([file.subarray(0, to), write, file.subarray(to)]);
    for (const at of around) out.writeUInt32BE(file.readUInt32BE(at) + added.length, at);
    moveItems(out, added.length, to);
    return out;
  }

  /** iloc with fields of four bytes, base offsets too, as libheif writes it. */
  function moveItems(file: Buffer, by: number, from: number): void {
    const data = file.indexOf('iloc') + 4;
    const version = file[data] ?? 0;
    expect([version, file.readUInt16BE(data + 4)]).toEqual([expect.any(Number), 0x4440]);
    let at = data + 8;
    for (let left = file.readUInt16BE(data + 6); left > 0; left--) {
      const method = version === 0 ? 0 : file.readUInt16BE(at + 2);
      at += version === 0 ? 4 : 6;
      const base = file.readUInt32BE(at);
      if (method === 0 && base + file.readUInt32BE(at + 6) >= from) file.writeUInt32BE(base + by, at);
      at += 6 + 8 * file.readUInt16BE(at + 4);
    }
  }

  const box = (type: string, data: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + data.length);
    head.write(type, 4);
    return Buffer.concat([head, data]);
  };

  test('is left as libheif wrote it', async () => {
    const file = await plain;
    expect(Buffer.compare(stripPicture(file, 'public', () => {}).bytes, file)).toBe(0);
  });

  test.each([
    ['among its brands', ['ftyp'], Buffer.concat([WORDS, Buffer.alloc(3)])],
    ['in the name of its handler', ['meta', 'hdlr'], Buffer.concat([WORDS, Buffer.alloc(1)])],
    ['in the name of an item', ['meta', 'iinf', 'infe'], Buffer.concat([WORDS, Buffer.alloc(1)])],
    ['in a free box among its properties', ['meta', 'iprp', 'ipco'], box('free', WORDS)],
    ['in a description of its properties', ['meta', 'iprp', 'ipco'], box('udes', WORDS)],
    ['in a property of nobody', ['meta', 'iprp', 'ipco'], box('uuid', WORDS)],
    ['behind the places of items', ['meta', 'iloc'], WORDS],
    ['behind the associations', ['meta', 'iprp', 'ipma'], WORDS],
    ['in an unknown box of its meta', ['meta'], box('prVt', WORDS)],
    ['in a uuid box of its meta', ['meta'], box('uuid', WORDS)],
    ['in a skip box of its meta', ['meta'], box('skip', WORDS)],
    ['in data of no item', ['mdat'], WORDS],
  ] as const)('%s', async (_, path, added) => {
    await expectStripped(await grown(path, added), await plain);
  });

  test.each(['free', 'skip', 'uuid'])('in a %s box', async (type) => {
    const file = await plain;
    await expectStripped(Buffer.concat([file, box(type, WORDS)]), file);
  });

  test('in a unit of metadata of its coded picture', async () => {
    const file = Buffer.from(await plain);
    // OBU: type 5 with a size · size · metadata type 4 (ITU-T T.35) · words. Appended to the last item of mdat.
    const unit = Buffer.concat([Buffer.from([0x2a, WORDS.length + 1, 4]), WORDS]);
    const planted = await grown(['mdat'], unit);
    const data = planted.indexOf('iloc') + 4;
    let [at, last] = [data + 8, { at: 0, offset: -1 }];
    for (let left = planted.readUInt16BE(data + 6); left > 0; left--, at += 8) {
      at += (planted[data] === 0 ? 4 : 6) + 6;
      const offset = planted.readUInt32BE(at - 6) + planted.readUInt32BE(at);
      if (offset > last.offset) last = { at, offset };
    }
    planted.writeUInt32BE(planted.readUInt32BE(last.at + 4) + unit.length, last.at + 4);
    await expectStripped(planted, file);
    expect(isThere(planted)).toBe(true);
  });
});
