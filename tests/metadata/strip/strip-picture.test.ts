import { inflateSync } from 'node:zlib';
import ExifReader from 'exifreader';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readContainer, spliceContainer } from '../../../nodes/formats/container.ts';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import { IMAGE_FORMATS, type ImageFormat } from '../../../nodes/kit/values.ts';
import { createWarningLog } from '../../../nodes/kit/warning-log.ts';
import { readCarried } from '../../../nodes/metadata/carried.ts';
import { STRIP_PROFILES, type StripProfile } from '../../../nodes/metadata/strip/profiles.ts';
import { stripPicture } from '../../../nodes/metadata/strip/strip-picture.ts';
import { pngChunks } from '../../bridge/cli/pictures.ts';
import { expectSamePixels, makeImage, withFile } from '../../formats/samples.ts';
import { exiftool } from '../../peers.ts';
import { GRAPH, INFOTEXT, PLANTED, SECRETS, WORKFLOW } from './planted.ts';

const PROFILES = Object.keys(STRIP_PROFILES) as StripProfile[];
const EXTENSIONS = { png: 'png', jpeg: 'jpg', webp: 'webp', avif: 'avif' } as const;

function strip(bytes: Uint8Array, profile: StripProfile) {
  const { warn, list: warnings } = createWarningLog();
  return { ...stripPicture(bytes, profile, warn), warnings };
}

/** The file, and every chunk of it that anything can inflate: found without our code. */
function hayOf(bytes: Uint8Array, format: ImageFormat): Buffer {
  const inflated =
    format !== 'png'
      ? []
      : pngChunks(bytes.subarray(0, Buffer.from(bytes).indexOf('IEND') + 8)).flatMap(({ type, data }) => {
          if (type !== 'zTXt' && type !== 'iTXt') return [];
          for (let at = 0; at < data.length - 1; at++) {
            if (data[at] !== 0x78) continue;
            try {
              return [inflateSync(data.subarray(at))];
            } catch {}
          }
          return [];
        });
  return Buffer.concat([bytes, ...inflated]);
}

/** Whether a text is there in any encoding that a file may have it in. */
function holds(hay: Buffer, text: string): boolean {
  const spellings = [text, JSON.stringify(text).slice(1, -1)];
  return spellings.some((each) =>
    [Buffer.from(each), Buffer.from(each, 'utf16le'), Buffer.from(each, 'utf16le').swap16()].some((bytes) =>
      hay.includes(bytes),
    ),
  );
}

describe.each(IMAGE_FORMATS)('%s with something planted in every place', (format) => {
  test('public leaves nothing of it, and every pixel', async () => {
    const source = await PLANTED[format]();
    expect(holds(hayOf(source, format), 'PLANTED-'), 'nothing was planted').toBe(true);
    const { bytes, warnings } = strip(source, 'public');
    expect(holds(hayOf(bytes, format), 'PLANTED')).toBe(false);
    await expectSamePixels(bytes, source);
    const { texts, comments, xmp, hasC2pa } = readContainer(bytes);
    expect({ texts, comments, xmp, hasC2pa }).toEqual({
      texts: [],
      comments: [],
      xmp: undefined,
      hasC2pa: false,
    });
    // Nobody follows the tiles of AV1.
    const unread = format === 'avif' ? ['strip/unread'] : [];
    expect(warnings.map(({ code }) => code)).toEqual(['strip/c2pa', ...unread]);
  });

  test('client leaves the generation text, without who made it', async () => {
    const planted = await PLANTED[format]();
    const tagged = format === 'png' || format === 'jpeg' ? planted : withComment(planted);
    const { bytes } = strip(tagged, 'client');
    expect(holds(hayOf(bytes, format), 'PLANTED')).toBe(false);
    expect(readCarried(readContainer(bytes))).toEqual({
      parameters: INFOTEXT.replace(', User: PLANTED-user-7f3a9c', ''),
    });
    await expectSamePixels(bytes, planted);
  });

  test('archive takes out the secrets and nothing else', async () => {
    const source = await PLANTED[format]();
    const { bytes, warnings } = strip(source, 'archive');
    const hay = hayOf(bytes, format);
    for (const secret of SECRETS) expect(holds(hay, secret), secret).toBe(false);
    await expectSamePixels(bytes, source);
    expect(warnings.map(({ code }) => code)).toEqual(['strip/c2pa']);
    const { prompt, workflow } = readCarried(readContainer(bytes));
    const graph = JSON.parse(prompt ?? '{}') as Record<string, { inputs: Record<string, unknown> }>;
    expect(graph['1']?.inputs).toEqual({ image: 'photo one.png' });
    expect(graph['2']?.inputs).toEqual({ api_key: '', seed: '12345678901234567890', max_tokens: 20 });
    expect(graph['3']?.inputs).toEqual({ image: '' });
    expect(graph['4']).toEqual((JSON.parse(GRAPH) as typeof graph)['4']);
    if (workflow !== undefined) {
      expect(JSON.parse(workflow)).toEqual(
        JSON.parse(
          WORKFLOW.replaceAll(SECRETS[0] ?? '', '').replaceAll('C:\\\\Users\\\\PLANTED-ben-7f3a9c\\\\', ''),
        ),
      );
    }
    expect(holds(hay, 'PLANTED-exif-make-7f3a9c')).toBe(true);
    expect(holds(hay, 'PLANTED-xmp-7f3a9c')).toBe(true);
  });

  test.each(PROFILES)('%s a second time changes nothing', async (profile) => {
    const once = strip(await PLANTED[format](), profile).bytes;
    const twice = strip(once, profile);
    expect(Buffer.compare(twice.bytes, once)).toBe(0);
    expect(twice.secrets).toEqual([]);
  });

  test.each(PROFILES)('%s leaves a picture that carries nothing as it is', async (profile) => {
    const plain = await makeImage(format);
    expect(Buffer.compare(strip(plain, profile).bytes, plain)).toBe(0);
  });

  test.skipIf(!exiftool.available)('exiftool finds none of it after public', async () => {
    const { bytes } = strip(await PLANTED[format](), 'public');
    await withFile(bytes, EXTENSIONS[format], (file) => {
      const told = exiftool.run(['-a', '-u', '-ee', '-G1', file]);
      expect(told).not.toContain('PLANTED');
      expect(told).not.toMatch(/GPS|Thumbnail|MPImage|Creator/);
      expect(exiftool.run(['-error', file])).toBe('');
    });
  });
});

/** A planted WebP or AVIF has no place for the text but its EXIF: put there as A1111 does. */
function withComment(source: Uint8Array): Uint8Array {
  const value = Buffer.concat([Buffer.from('UNICODE\0'), Buffer.from(INFOTEXT, 'utf16le').swap16()]);
  const head = Buffer.from(
    '4d4d002a00000008' + '0001' + '8769' + '0004' + '00000001' + '0000001a' + '00000000',
    'hex',
  );
  const directory = Buffer.from(
    `000192860007${value.length.toString(16).padStart(8, '0')}0000002c00000000`,
    'hex',
  );
  return spliceContainer(source, { exif: Buffer.concat([head, directory, value]) });
}

describe('orientation', () => {
  test.each(['png', 'jpeg', 'webp'] as const)(
    'of a turned %s stays, in a block that says nothing else',
    async (format) => {
      const { bytes } = strip(await PLANTED[format](), 'public');
      const tags = ExifReader.load(bytes.slice().buffer);
      expect(tags['Orientation']?.value).toBe(6);
      expect(tags['Make']).toBeUndefined();
    },
  );
});

describe('what nobody planted on purpose', () => {
  test('damaged files end in a picture or in a typed failure', async () => {
    for (const format of IMAGE_FORMATS) {
      const source = await PLANTED[format]();
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(source.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
          fc.constantFrom(...PROFILES),
          (changes, profile) => {
            const damaged = Uint8Array.from(source);
            for (const [at, value] of changes) damaged[at] = value;
            try {
              strip(damaged, profile);
            } catch (error) {
              if (!isLineageError(error)) throw error;
            }
          },
        ),
        { numRuns: 60 },
      );
    }
  }, 60_000);
});
