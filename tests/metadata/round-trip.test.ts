import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import piexif from 'piexifjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readContainer } from '../../nodes/formats/container.ts';
import { readExif } from '../../nodes/formats/exif.ts';
import { READERS } from '../../nodes/metadata/readers/index.ts';
import { exiftool } from '../peers.ts';
import { cases, type Picture } from './round-trip/cases.ts';
import { cellsOf } from './round-trip/cells.ts';
import { type Cell, exceptions, isExcepted, judge } from './round-trip/exceptions.ts';
import { expectedOf, meant } from './round-trip/expected.ts';
import { MATRIX, renderRows } from './round-trip/matrix.ts';
import { askExiftool, outsideReaders } from './round-trip/outside-readers.ts';
import { writePictures } from './round-trip/write-pictures.ts';

/**
 * Every text of `fixtures/texts/adversarial.json` is written in each format and stage, and read back by five foreign
 * programs and by the restated readers. What a reader cannot hold stands in `fixtures/texts/exceptions.json`.
 */
const folder = mkdtempSync(join(tmpdir(), 'lineage-texts-'));
let pictures: readonly Picture[] = [];
let cells: readonly Cell[] = [];

beforeAll(async () => {
  pictures = await writePictures(folder);
  cells = await cellsOf(pictures);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

const nameOf = ({ case: one, variant }: Picture): string => `${variant.name}: ${one.name}`;

describe('writing', () => {
  test('each JPEG ends in the stage that was aimed at, or in the one that the text demands', () => {
    const wrong = pictures.filter(({ case: one, variant, embedded }) => {
      const wanted = variant.format === 'jpeg' ? (one.stages[variant.stage] ?? variant.stage) : 'full';
      return embedded.stage !== wanted;
    });
    expect(wrong.map((picture) => `${nameOf(picture)}: ${picture.embedded.stage}`)).toEqual([]);
  });

  test('the budget holds for the EXIF, XMP and comment segments', () => {
    for (const picture of pictures.filter(({ variant }) => variant.format === 'jpeg')) {
      const { exif, xmp, comments } = readContainer(picture.embedded.bytes);
      // Marker and length are 4 bytes, `Exif\0\0` 6, XMP's own name with its NUL 29.
      const sizes = [
        exif ? exif.length + 10 : 0,
        xmp === undefined ? 0 : Buffer.byteLength(xmp) + 33,
        ...comments.map((comment) => comment.length + 4),
      ];
      expect(Math.max(...sizes), nameOf(picture)).toBeLessThanOrEqual(picture.variant.budget);
    }
  });

  test('a lone surrogate or a NUL becomes U+FFFD, and that is said; nothing else is', () => {
    for (const picture of pictures) {
      const { case: one, variant } = picture;
      // Embeddings that a prompt names have no files here.
      const namesEmbedding = /embedding:/.test(`${one.positive} ${one.negative}`);
      const warnings = picture.warnings.filter(
        ({ code }) => code !== 'embed/dropped' && !(namesEmbedding && code === 'resource/missing'),
      );
      const broken = [one.positive, one.negative].filter(isBroken);
      const ours = warnings.filter(({ where }) => where.endsWith('prompt'));
      expect(
        ours.map(({ code }) => code),
        nameOf(picture),
      ).toEqual(broken.map(() => 'value/cleaned'));
      // The one more is the long key of the user's own that fills `minimal`.
      expect(warnings.length - ours.length, nameOf(picture)).toBe(
        variant.stage === 'minimal' && !variant.isCut ? 1 : 0,
      );
    }
  });

  test('a prompt is cut only where it must be, as little as possible, and that stands in `dropped`', () => {
    const cut = pictures.filter((picture) => expectedOf(picture).cut);
    const whole = pictures.filter((picture) => picture.variant.isCut && !expectedOf(picture).cut);
    expect(whole.map(nameOf)).toEqual([]);
    expect(cut.length).toBeGreaterThan(cases.length);
    for (const picture of cut) {
      const { positive, embedded, variant } = picture;
      const { left, whole } = expectedOf(picture).cut ?? { left: 0, whole: 0 };
      expect(embedded.dropped, nameOf(picture)).toContainEqual({
        what: 'positive prompt',
        why: `cut to ${left} of ${whole} characters`,
      });
      // Brackets and tags are not cut through: that may take more.
      if (/[<([{]/.test(positive + picture.case.negative)) continue;
      // One more character takes up to four bytes, and white space at the cut goes, in UTF-16 two bytes each.
      const { exif, comments } = readContainer(picture.embedded.bytes);
      const isComment = embedded.stage === 'com-marker';
      const segmentBytes = isComment ? 4 + (comments[0]?.length ?? 0) : 10 + (exif?.length ?? 0);
      expect(variant.budget - segmentBytes, nameOf(picture)).toBeLessThanOrEqual(6);
    }
    const kept = pictures.filter((picture) => !expectedOf(picture).cut);
    expect(
      kept.filter(({ embedded }) => embedded.dropped.some(({ what }) => what === 'positive prompt')),
    ).toEqual([]);
  });
});

/** Whether a text holds what no file can: by code units, so apart from the pattern in `meant`. */
function isBroken(text: string): boolean {
  return [...text].some((char) => {
    const code = char.codePointAt(0)!;
    return code === 0 || code === 0xfffe || code === 0xffff || (code >= 0xd800 && code <= 0xdfff);
  });
}

describe('reading', () => {
  for (const reader of outsideReaders) {
    test.skipIf(!reader.available)(`${reader.name} sees every text, or the table says why not`, () => {
      const own = cells.filter((cell) => cell.reader === reader.name);
      expect(own.length).toBeGreaterThan(20 * cases.length);
      expect(judge(own)).toEqual([]);
    });
  }

  test.each(READERS.map(({ id }) => id))(
    '%s, by its restated rules, sees every text, or the table says why not',
    (id) => {
      const own = cells.filter((cell) => cell.reader === id);
      expect(own.length).toBeGreaterThan(10 * cases.length);
      expect(judge(own)).toEqual([]);
    },
  );

  test('what readers hold, and what not, is what the printed matrix says', () => {
    const printed = readFileSync(MATRIX, 'utf8').split('\n');
    const rows = renderRows(cells);
    expect(rows.length).toBeGreaterThan(8);
    for (const row of rows) expect(printed).toContain(row);
  });

  test('there are 200 texts, and no two alike', () => {
    expect(new Set(cases.map(({ positive, negative }) => JSON.stringify([positive, negative]))).size).toBe(
      cases.length,
    );
    expect(cases.filter(({ name }) => !name.endsWith(' as negative')).length).toBeGreaterThanOrEqual(200);
  });

  test('every row of the table is about some cell', () => {
    const present = new Set(cells.map(({ reader }) => reader));
    const idle = exceptions.filter(
      (row) =>
        row.readers.some((reader) => present.has(reader)) && !cells.some((cell) => isExcepted(row, cell)),
    );
    expect(idle).toEqual([]);
  });

  test.skipIf(!exiftool.available)('exiftool has nothing to say against any file', () => {
    const judged = askExiftool(pictures, ['-validate', '-warning', '-error']);
    expect(judged.length).toBe(pictures.length);
    const faulty = judged.flatMap((seen, index) => {
      const { SourceFile: _file, ...rest } = seen;
      return JSON.stringify(rest) === '{"ExifTool:Validate":"OK"}'
        ? []
        : [{ ...rest, of: nameOf(pictures[index]!) }];
    });
    expect(faulty).toEqual([]);
  });
});

describe('piexifjs as the other writer', () => {
  test.each(cases)('what it writes of $name is read the same', ({ positive, negative }) => {
    const text = `x${meant(positive)}\nNegative prompt: ${meant(negative)}\nSteps: 20`;
    const prompt = `prompt:${JSON.stringify({ text: positive }).replace(/[^ -~]/g, '?')}`;
    const comment = Buffer.from(text, 'utf16le').swap16().toString('latin1');
    const read = (value: string) => {
      const dumped = piexif.dump({ '0th': { 270: prompt, 271: 'workflow:{}' }, Exif: { 37510: value } });
      return readExif(new Uint8Array(Buffer.from(dumped.slice(6), 'latin1')));
    };
    // piexifjs writes one length into a JPEG segment, and refuses what is larger.
    if (comment.length + prompt.length > 65_000) return;
    expect(read(`UNICODE\0${comment}`)).toMatchObject({
      ifd0Ascii: [
        { tag: 270, text: prompt },
        { tag: 271, text: 'workflow:{}' },
      ],
      userComment: { encoding: 'unicode', text },
    });
    if (!/^[\x01-\x7f]*$/.test(text)) return;
    expect(read(`ASCII\0\0\0${text}`).userComment).toEqual({ encoding: 'ascii', text });
  });
});
