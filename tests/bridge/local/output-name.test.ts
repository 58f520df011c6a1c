import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanName, parsePrefix } from '../../../bridge/local/output-name.ts';

describe('parsePrefix', () => {
  test.each([
    ['image', [], 'image'],
    ['day/night/image', ['day', 'night'], 'image'],
    ['day\\image', ['day'], 'image'],
    ['day//./image', ['day'], 'image'],
    ['day/image/', ['day'], 'image'], // os.path.normpath drops it
    ['./image', [], 'image'],
    ['', [], '_'],
    [' / ', [], '_'],
    ['a..b/c..d', ['a..b'], 'c..d'],
    ['C:', [], 'C_'],
    ['score: 9/cat?', ['score_ 9'], 'cat_'],
  ])('%j', (prefix, folders, stem) => {
    expect(parsePrefix(prefix)).toEqual({ folders, stem });
  });

  test.each([
    '../a',
    'a/../b',
    'a/..',
    '..',
    'a\\..\\..\\b',
    '.. /a',
    '.../a',
    '/etc/a',
    '\\\\host\\a',
    'C:\\a',
    'c:/a',
  ])('%j leads out', (prefix) => {
    expect(() => parsePrefix(prefix)).toThrow(expect.objectContaining({ code: 'output/outside' }));
  });
});

describe('cleanName', () => {
  test.each([
    ['a<b>c:d"e|f?g*h', 'a_b_c_d_e_f_g_h'],
    ['tab\tnewline\nnul\0del\u007fc1\u0085', 'tab_newline_nul_del_c1_'],
    ['name. . ', 'name'],
    [' name', 'name'],
    ['.hidden', '_hidden'],
    ['.lineage-tmp-1', '_lineage-tmp-1'],
    ['CON', '_CON'],
    ['con.txt', '_con.txt'],
    ['Lpt9', '_Lpt9'],
    ['COM¹.a', '_COM¹.a'],
    ['nul .txt', '_nul .txt'],
    ['contact', 'contact'],
    ['com10', 'com10'],
    ['猫と犬 🐱', '猫と犬 🐱'],
    ['half\ud83d', 'half\ufffd'],
    ['', '_'],
    ['...', '_'],
  ])('%j is %j', (text, name) => {
    expect(cleanName(text)).toBe(name);
  });

  test.each([
    ['ASCII', 'a'.repeat(300), 'a'.repeat(200)],
    ['three bytes each', '猫'.repeat(100), '猫'.repeat(66)],
    ['four bytes each, off by one', `a${'🐱'.repeat(60)}`, `a${'🐱'.repeat(49)}`],
    ['a cut before dots', `${'a'.repeat(199)}..bc`, 'a'.repeat(199)],
  ])('is cut between code points: %s', (_, text, name) => {
    expect(cleanName(text)).toBe(name);
  });

  test('any text gives one plain name that cleaning leaves as it is', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({
        unit: fc.constantFrom('.', ' ', '/', '\\', ':', 'CON', 'nul', '\0', '\ud800', '猫', 'a', '🐱'),
        maxLength: 120,
      }),
    );
    fc.assert(
      fc.property(text, (raw) => {
        const name = cleanName(raw);
        expect(name).not.toMatch(/[<>:"|?*/\\\p{Cc}\p{Cs}]/u);
        expect(name).not.toMatch(/^\.|^$|[. ]$/);
        expect(name.split('.')[0]).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d) *$/i);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
        expect(cleanName(name)).toBe(name);
      }),
      { numRuns: 1000 },
    );
  });
});
