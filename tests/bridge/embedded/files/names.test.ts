import { posix, win32 } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentDisposition, sniffMediaType } from '../../../../bridge/embedded/files/content-type.ts';
import {
  cleanUploadName,
  numberedNames,
  splitEnding,
} from '../../../../bridge/embedded/files/upload-name.ts';
import { parseAnnotatedName } from '../../../../bridge/local/annotated-name.ts';
import { splitPlainPath } from '../../../../bridge/local/plain-path.ts';
import { isLineageError } from '../../../../nodes/kit/errors.ts';

/** Texts of what paths are made of, and of what breaks them. */
const pathText = fc
  .array(
    fc.oneof(
      fc.constantFrom('..', '.', '/', '\\', ':', 'C:', 'a', 'b.png', '\0', ' ', '...', 'con', 'ü', '%2e'),
      fc.string(),
    ),
  )
  .map((parts) => parts.join(''));

describe('a plain path', () => {
  test('that is let through stays below its folder, on every system', () => {
    fc.assert(
      fc.property(pathText, (text) => {
        let parts: readonly string[];
        try {
          parts = splitPlainPath(text);
        } catch (error) {
          expect(isLineageError(error) && ['path/outside', 'path/unsafe'].includes(error.code)).toBe(true);
          return;
        }
        expect(`${posix.resolve('/top/root', ...parts)}/`).toMatch(/^\/top\/root\//);
        expect(`${win32.resolve('C:\\top\\root', ...parts)}\\`).toMatch(/^C:\\top\\root\\/);
        for (const part of parts) expect(part).not.toMatch(/[\\/:\0]|^\.{1,}$|[. ]$/);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['', []],
    ['.', []],
    ['a//b/./c.png', ['a', 'b', 'c.png']],
    ['a..b/.hidden', ['a..b', '.hidden']],
    ['50% ü #?.png', ['50% ü #?.png']],
    ['%2e%2e', ['%2e%2e']],
  ])('%j', (text, parts) => {
    expect(splitPlainPath(text)).toEqual(parts);
  });

  test.each([
    ['..', 'path/outside'],
    ['a/../b', 'path/outside'],
    ['a\\..\\b', 'path/outside'],
    ['.. /x', 'path/outside'],
    ['...', 'path/outside'],
    ['/a', 'path/outside'],
    ['\\a', 'path/outside'],
    ['//host/share', 'path/outside'],
    ['C:/a', 'path/outside'],
    ['c:\\a', 'path/outside'],
    ['c:a', 'path/unsafe'],
    ['a:b', 'path/unsafe'],
    ['a\\b', 'path/unsafe'],
    ['a\0', 'path/unsafe'],
    ['a\nb', 'path/unsafe'],
    ['a\u0085b', 'path/unsafe'],
    ['a.', 'path/unsafe'],
    ['a ', 'path/unsafe'],
    ['con', 'path/unsafe'],
    ['x/COM1.txt', 'path/unsafe'],
    ['\ud800', 'path/unsafe'],
    ['x'.repeat(1025), 'path/unsafe'],
    ['x/'.repeat(17), 'path/unsafe'],
  ])('%.20j is refused', (text, code) => {
    expect(() => splitPlainPath(text)).toThrow(expect.objectContaining({ code }));
  });
});

describe('the name of an upload', () => {
  test('is a plain path of one part, whatever it was', () => {
    fc.assert(
      fc.property(pathText, (text) => {
        const name = cleanUploadName(text);
        if (name === undefined) return;
        expect(splitPlainPath(name)).toEqual([name]);
        expect(name).not.toMatch(/^\./);
        expect(Buffer.byteLength(name)).toBeLessThan(220);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(['', ' ', '.', '..', '...', 'a/b', 'a\\b', '/a', 'a\0b'])('%j is none', (name) => {
    expect(cleanUploadName(name)).toBeUndefined();
  });

  /** Python 3.11: os.path.splitext of each. */
  test.each([
    ['a.png', 'a', '.png'],
    ['a.tar.gz', 'a.tar', '.gz'],
    ['noext', 'noext', ''],
    ['.dot', '.dot', ''],
    ['..a', '..a', ''],
    ['.a.b', '.a', '.b'],
    ['a.', 'a', '.'],
  ])('%s is %s and %s', (name, stem, ending) => {
    expect(splitEnding(name)).toEqual({ stem, ending });
  });

  test('is numbered before its ending', () => {
    const names = numberedNames('a.b.png');
    expect([names.next().value, names.next().value, names.next().value]).toEqual([
      'a.b.png',
      'a.b (1).png',
      'a.b (2).png',
    ]);
  });
});

test.each([
  ['x.png', { path: 'x.png' }],
  ['x.png [output]', { path: 'x.png', folder: 'output' }],
  ['sub/x.png [input]', { path: 'sub/x.png', folder: 'input' }],
  ['x [temp] [temp]', { path: 'x [temp]', folder: 'temp' }],
  [' [temp]', { path: '', folder: 'temp' }],
  ['x.png[output]', { path: 'x.png[output]' }],
  ['x.png [user]', { path: 'x.png [user]' }],
])('the annotated name %j', (name, parsed) => {
  expect(parseAnnotatedName(name)).toEqual(parsed);
});

describe('a file is, by its content', () => {
  const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
  test.each([
    ['\x89PNG\r\n\x1a\n', 'image/png'],
    ['\xff\xd8\xff\xe0', 'image/jpeg'],
    ['GIF89a', 'image/gif'],
    ['RIFF\0\0\0\0WEBPVP8 ', 'image/webp'],
    ['\0\0\0\x1cftypavif\0\0\0\0', 'image/avif'],
    ['II*\0', 'image/tiff'],
    [`BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0`, 'image/bmp'],
    ['\0\0\0\x20ftypisom', 'video/mp4'],
    ['\0\0\0\x20ftypmp42', 'video/mp4'],
    ['\0\0\0\x14ftypqt  ', 'video/quicktime'],
    ['\0\0\0\x20ftypM4A ', 'audio/mp4'],
    ['\x1a\x45\xdf\xa3', 'video/webm'],
    ['RIFF\0\0\0\0WAVEfmt ', 'audio/wav'],
    ['fLaC\0', 'audio/flac'],
    ['OggS\0\x02', 'audio/ogg'],
    ['ID3\x04', 'audio/mpeg'],
    ['\xff\xfb\x90\x00', 'audio/mpeg'],
  ])('%j: %s', (head, type) => {
    expect(sniffMediaType(latin1(head))).toBe(type);
  });

  test.each([
    '',
    '<svg',
    '<?xml',
    '<!doctype html>',
    '<script>',
    '%PDF-1.7',
    'GIF8',
    '\x89PNG',
    'RIFF\0\0\0\0EVIL',
    'BM is a town',
    '\0\0\0\x20ftypevil',
    'PK\x03\x04',
    '{}',
    '\xff\xfe<\0s\0',
    '#!/bin/sh',
    '\xef\xbb\xbf<html>',
    'RIFF\0\0\0\0__proto__',
    '\0\0\0\x20ftypconstructor',
  ])('%j: nothing that is shown', (head) => {
    expect(sniffMediaType(latin1(head))).toBeUndefined();
  });
});

describe('a Content-Disposition', () => {
  test('holds any name, in one line of ASCII, and the name can be read back', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), (name) => {
        const header = contentDisposition('attachment', name);
        expect(header).toMatch(
          /^attachment; filename="[^"\\\r\n]*"(?:; filename\*=UTF-8''[\w!#$&+.^`|~%-]*)?$/,
        );
        const extended = /filename\*=UTF-8''(.*)$/.exec(header)?.[1];
        const plain = /filename="(.*?)"/.exec(header)?.[1];
        expect(extended === undefined ? plain : decodeURIComponent(extended)).toBe(name.toWellFormed());
      }),
    );
  });

  test('is what old clients look for where the name is plain', () => {
    expect(contentDisposition('inline', 'a b_00001_.png')).toBe('inline; filename="a b_00001_.png"');
  });
});
