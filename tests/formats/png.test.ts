import { crc32, deflateSync } from 'node:zlib';
import ExifReader from 'exifreader';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPng, splicePng } from '../../nodes/formats/png.ts';
import { pillow } from '../peers.ts';
import { MANIFEST_STORE } from './manifest-store.ts';
import { expectSamePixels, expectTypedFailures, failsAsTyped, hex, makeImage, withFile } from './samples.ts';

const picture = await makeImage('png');
const CODES = ['png/malformed'] as const;

/** A chunk by hand: length, type, data, CRC. */
function chunk(type: string, data: string | Uint8Array): Buffer {
  const body = Buffer.concat([
    Buffer.from(type, 'latin1'),
    typeof data === 'string' ? Buffer.from(data, 'latin1') : data,
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length - 4);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** The chunk types of a file, in order, each CRC checked. */
function chunkTypes(bytes: Uint8Array): string[] {
  const file = Buffer.from(bytes);
  const types: string[] = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const body = file.subarray(at + 4, at + 8 + length);
    expect(file.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    types.push(body.toString('latin1', 0, 4));
    at += length + 12;
    if (types.at(-1) === 'IEND') break;
  }
  return types;
}

/** The picture with chunks put right behind IHDR (8 bytes of signature, 25 of IHDR). */
function withChunks(...chunks: readonly Buffer[]): Uint8Array {
  return new Uint8Array(Buffer.concat([picture.subarray(0, 33), ...chunks, picture.subarray(33)]));
}

describe('splicePng', () => {
  test('writes tEXt where Latin-1 holds the text, iTXt elsewhere, before IDAT', async () => {
    const texts = new Map([
      ['parameters', 'a café\nSteps: 20'],
      ['prompt', '{"a":1}'],
      ['title', 'ねこ 🐈'],
    ]);
    const out = splicePng(picture, { texts, itxt: new Map([['lineage', '{}']]) });
    const types = chunkTypes(out);
    expect(types.filter((type) => type.includes('TXt') || type === 'tEXt')).toEqual([
      'tEXt',
      'tEXt',
      'iTXt',
      'iTXt',
    ]);
    expect(types.lastIndexOf('iTXt')).toBeLessThan(types.indexOf('IDAT'));
    expect(readPng(out).texts).toEqual([
      { keyword: 'parameters', text: 'a café\nSteps: 20', chunk: 'tEXt' },
      { keyword: 'prompt', text: '{"a":1}', chunk: 'tEXt' },
      { keyword: 'title', text: 'ねこ 🐈', chunk: 'iTXt' },
      { keyword: 'lineage', text: '{}', chunk: 'iTXt' },
    ]);
    const tags = ExifReader.load(out.buffer as ArrayBuffer, { includeUnknown: true }) as Record<
      string,
      { value: unknown }
    >;
    expect([tags['parameters']?.value, tags['title']?.value]).toEqual(['a café\nSteps: 20', 'ねこ 🐈']);
    await expectSamePixels(out, picture);
  });

  test.skipIf(!pillow.available)('Pillow reads the same texts', async () => {
    const texts = new Map([
      ['parameters', 'é "x"\n\nSteps: 1'],
      ['title', '猫'],
    ]);
    const script =
      'import json,sys;from PIL import Image;i=Image.open(sys.argv[1]);i.load();print(json.dumps(dict(i.text)))';
    const seen = await withFile(splicePng(picture, { texts }), 'png', (file) =>
      pillow.run(['-c', script, file]),
    );
    expect(JSON.parse(seen)).toEqual(Object.fromEntries(texts));
  });

  test('replaces every chunk of a keyword by one and keeps other chunks and trailing bytes', () => {
    const foreign = chunk('vpAg', 'abc');
    const source = Buffer.concat([
      withChunks(
        chunk('tEXt', 'prompt\0old'),
        foreign,
        chunk('iTXt', 'prompt\0\0\0\0\0older'),
        chunk('tEXt', 'Author\0me'),
        chunk('caBX', MANIFEST_STORE),
      ),
      Buffer.from('after'),
    ]);
    const out = Buffer.from(
      splicePng(source, { texts: new Map([['prompt', 'new']]), removeKeywords: ['workflow'] }),
    );
    expect(readPng(out)).toMatchObject({ hasC2pa: true, hasIcc: false });
    expect(readPng(out).texts.map(({ keyword, text }) => [keyword, text])).toEqual([
      ['Author', 'me'],
      ['prompt', 'new'],
    ]);
    expect(out.includes(foreign)).toBe(true);
    expect(out.subarray(-5).toString()).toBe('after');
    expect(out.subarray(33, 33 + foreign.length).equals(foreign)).toBe(true);
  });

  test('EXIF and XMP are put, replaced and removed; an EXIF prefix is taken off when reading', () => {
    const exif = Uint8Array.of(0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0);
    const once = splicePng(picture, { exif, xmp: '<x/>' });
    expect(readPng(once)).toMatchObject({ exif, xmp: '<x/>', texts: [] });
    expect(chunkTypes(once).filter((type) => type === 'eXIf')).toHaveLength(1);
    expect(hex(splicePng(once, { exif: null, xmp: null }))).toBe(hex(picture));
    expect(hex(readPng(withChunks(chunk('eXIf', `Exif\0\0MM\0*`))).exif ?? new Uint8Array())).toBe(
      '4d4d002a',
    );
  });

  test.each(['', ' x', 'x ', 'a  b', 'x'.repeat(80), 'ねこ', 'a\nb'])('refuses the keyword %j', (keyword) => {
    expect(() => splicePng(picture, { texts: new Map([[keyword, 'x']]) })).toThrow(
      expect.objectContaining({ code: 'png/keyword' }),
    );
  });

  test('refuses NUL in a text', () => {
    expect(() => splicePng(picture, { texts: new Map([['x', 'a\0b']]) })).toThrow(
      expect.objectContaining({ code: 'png/text' }),
    );
  });
});

describe('readPng', () => {
  test('reads what the header says', async () => {
    expect(readPng(picture)).toMatchObject({ width: 13, height: 9, hasAlpha: false, isAnimated: false });
    expect(readPng(await makeImage('png', { channels: 4 }))).toMatchObject({ hasAlpha: true });
    expect(readPng(withChunks(chunk('tRNS', '\0\0\0\0\0\0')))).toMatchObject({ hasAlpha: true });
  });

  test('reads compressed texts', () => {
    const source = withChunks(
      chunk('zTXt', Buffer.concat([Buffer.from('z\0\0'), deflateSync(Buffer.from('é', 'latin1'))])),
      chunk('iTXt', Buffer.concat([Buffer.from('i\0\x01\0en\0key\0'), deflateSync(Buffer.from('猫'))])),
    );
    expect(readPng(source).texts).toEqual([
      { keyword: 'z', text: 'é', chunk: 'zTXt' },
      { keyword: 'i', text: '猫', chunk: 'iTXt' },
    ]);
  });

  test('reports a text that inflates without end, or not at all, and goes on', () => {
    const bomb = deflateSync(Buffer.alloc(70 * 1024 * 1024));
    const contents = readPng(
      withChunks(
        chunk('zTXt', Buffer.concat([Buffer.from('bomb\0\0'), bomb])),
        chunk('zTXt', 'bad\0\0xx'),
        chunk('tEXt', 'no keyword end'),
        chunk('tEXt', 'a\0b'),
      ),
    );
    expect(contents.damaged.map(({ chunk: type }) => type)).toEqual(['zTXt', 'zTXt', 'tEXt']);
    expect(contents.texts).toEqual([{ keyword: 'a', text: 'b', chunk: 'tEXt' }]);
  });

  test('reads a thousand texts and says once that there are more', () => {
    const contents = readPng(
      withChunks(...Array.from({ length: 1_500 }, (_, i) => chunk('tEXt', `k${i}\0v`))),
    );
    expect(contents.texts).toHaveLength(1_000);
    expect(contents.damaged).toMatchObject([{ chunk: 'tEXt', reason: expect.stringContaining('1000') }]);
  });

  test('refuses every truncation', () => {
    const out = splicePng(picture, { texts: new Map([['prompt', '{}']]) });
    expect(expectTypedFailures(out, readPng, CODES)).toBe(out.length);
    expect(expectTypedFailures(out, (part) => splicePng(part, {}), CODES)).toBe(out.length);
  });

  test('refuses lying lengths and a wrong order', () => {
    const lying = Buffer.from(picture);
    lying.writeUInt32BE(0x7fffffff, 33);
    expect(() => readPng(lying)).toThrow(expect.objectContaining({ code: 'png/malformed' }));
    expect(() => readPng(withChunks(chunk('IHDR', 'x'.repeat(13))))).toThrow(/IHDR as the first/);
    expect(() => readPng(Buffer.concat([picture.subarray(0, 33), chunk('IEND', '')]))).toThrow(/IDAT/);
  });
});

describe('properties', () => {
  const keyword = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/).filter((word) => !word.includes('  '));
  const text = fc.string({ unit: 'grapheme', maxLength: 200 }).filter((value) => !value.includes('\0'));

  test('texts come back as they went in; a second splice changes nothing', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(keyword, text), { selector: ([key]) => key, maxLength: 6 }),
        (pairs) => {
          const texts = new Map(pairs);
          const once = splicePng(picture, { texts });
          expect(new Map(readPng(once).texts.map((entry) => [entry.keyword, entry.text]))).toEqual(texts);
          expect(hex(splicePng(once, { texts }))).toBe(hex(once));
          expect(hex(splicePng(once, { removeKeywords: [...texts.keys()] }))).toBe(hex(picture));
        },
      ),
    );
  });

  test('damaged bytes end in a result or in png/malformed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(picture.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (changes) => {
          const damaged = Uint8Array.from(picture);
          for (const [at, value] of changes) damaged[at] = value;
          failsAsTyped(() => splicePng(damaged, { texts: new Map([['a', 'b']]) }), CODES);
          failsAsTyped(() => readPng(damaged), CODES);
        },
      ),
    );
  });
});
