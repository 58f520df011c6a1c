import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  findNeedles,
  needlesOfBytes,
  needlesOfPieces,
  needlesOfText,
} from '../../../nodes/metadata/strip/needles.ts';
import { createScrubber } from '../../../nodes/metadata/strip/scrub.ts';

const scrub = (text: string): string => createScrubber().scrub(text);

/** Random bytes have every letter of base64. */
const PICTURE = randomBytes(600).toString('base64');

function nested(value: unknown, depth: number): string {
  const text = JSON.stringify(value);
  return depth === 0 ? text : nested({ inner: text }, depth - 1);
}

describe('what is taken out', () => {
  test.each([
    ['key sk-abcdefghij0123456789 here', 'key  here'],
    ['Authorization: Bearer abcdefgh.ijklmnop.qrst', 'Authorization: Bearer '],
    ['https://me:hunter22@example.org/x', 'https://example.org/x'],
    ['https://example.org/x?token=abcdef123&w=1', 'https://example.org/x?token=&w=1'],
    ['in /home/anna/pictures/a.png now', 'in a.png now'],
    ['file:///home/anna/a.png', 'a.png'],
    ['C:\\Users\\Ben Smith\\a b.png', 'a b.png'],
    ['D:/models/x/y.safetensors', 'y.safetensors'],
    ['\\\\nas\\share\\sub\\a.png', 'a.png'],
    ['{"image":"/srv/my pictures/a b.png"}', '{"image":"a b.png"}'],
    ['{"api_key": "secret value", "n": 12345678901234567890}', '{"api_key": "", "n": 12345678901234567890}'],
    ['prompt:{"token":"x1y2z3"}', 'prompt:{"token":""}'],
    ['{"inner":"{\\"password\\":\\"hunter22\\"}"}', '{"inner":"{\\"password\\":\\"\\"}"}'],
    ['OPENAI_API_KEY=abcdef123456', 'OPENAI_API_KEY='],
    ['HF_TOKEN=abcdef123456', 'HF_TOKEN='],
    ['my token: abcdef123456', 'my token: '],
    ['key gsk_abcdefghij0123456789', 'key '],
    ['{"openaiApiKey":"x1y2z3","OPENAI_API_KEY_1":"x1y2z3"}', '{"openaiApiKey":"","OPENAI_API_KEY_1":""}'],
    ['{"key":"abcdefghij0123456789"}', '{"key":""}'],
    ['{"api_key":{"value":"x1y2z3","of":["a"]},"b":"c"}', '{"api_key":{"value":"","of":[""]},"b":"c"}'],
    [nested({ password: 'hunter22' }, 5), nested({ password: '' }, 5)],
    ['<a>/home/alice/secret/x.png</a>', '<a>x.png</a>'],
    ['dir:/home/alice/secret/x.png', 'dir:x.png'],
    ['file:/home/alice/secret/x.png', 'file:x.png'],
    ['//server/share/dir/x.png', 'x.png'],
    ['C:\\Users\\Bob, Smith\\x.png', 'x.png'],
    ['{"image":"D:\\\\Bob, Smith\\\\x.png"}', '{"image":"x.png"}'],
    ['in /home/bob/my dir/x.png now', 'in x.png now'],
    ['in /Users/Bob Smith/x.png now', 'in x.png now'],
    // Names of folders have commas, with a space behind them or none.
    ['/home/anna, work/pictures/a.png', 'a.png'],
    ['in /home/anna,b/pics/a.png now', 'in a.png now'],
    ['/mnt/a, b/c, d/x.png', 'x.png'],
    ['file:///srv/a, b/x.png', 'x.png'],
    ['C:\\a, b\\c\\x.png', 'x.png'],
    ['in D:/work, old/deep,er/x.png', 'in x.png'],
    ['\\\\nas\\share, b\\sub\\x.png', 'x.png'],
    ['//server/share, x/dir/x.png', 'x.png'],
    ['{"image":"/srv, x/my/a.png"}', '{"image":"a.png"}'],
    ['lora: /a/b/c.safetensors, /d/e/f.pt', 'lora: c.safetensors, f.pt'],
    ['see C:\\x\\a.png, cat\\dog and /home/b/c.png, cat/dog', 'see a.png, cat\\dog and c.png, cat/dog'],
    [`a ${PICTURE.replace(/(.{76})/g, '$1\n')}`, 'a '],
    [`a ${PICTURE.replace(/(.{64})/g, '$1\r\n')}`, 'a '],
    [JSON.stringify({ a: PICTURE.replace(/(.{76})/g, '$1\n') }), '{"a":""}'],
    [`a ${PICTURE.replaceAll('+', '-').replaceAll('/', '_')}`, 'a '],
  ])('%s', (text, expected) => {
    expect(scrub(text)).toBe(expected);
    expect(scrub(expected)).toBe(expected);
  });
});

test.each([
  '[1girl:0.5], at /home/alice/secret/x.png, api_key=sk-abcdefghij0123456789',
  '["a", /home/alice/secret/x.png',
  '{"a": 1, api_key=sk-abcdefghij0123456789 "b": 2',
  '{"sk-abcdefghij0123456789": 1}',
  '{1girl}, my token: "abcdef123456", sk-abcdefghij0123456789',
])('a text that only begins like JSON is looked through whole: %s', (text) => {
  expect(scrub(text)).not.toMatch(/alice|sk-abcdef|abcdef123456/);
});

test('a secret in any soup of brackets and quotes is gone', () => {
  const soup = fc.array(fc.constantFrom('{', '}', '[', ']', '"', ':', ',', ' ', '1', 'a', '\\', '\n'), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(soup, soup, (before, behind) => {
      expect(scrub(`${before.join('')} sk-abcdefghij0123456789 ${behind.join('')}`)).not.toContain(
        'sk-abcdef',
      );
    }),
    { numRuns: 2000 },
  );
});

describe('what stays', () => {
  test.each([
    'a cat and/or dog, 1/2 body, (red/blue:1.2)',
    'https://civitai.com/models/1/two',
    '{"token_normalization":"none","max_tokens":5,"ckpt_name":"SDXL\\\\a.safetensors"}',
    '<rdf:Description rdf:about=""/><dc:a>b</dc:a>',
    'Steps: 20, Model hash: 0af8c2cbbb, Size: 64x48',
    '\\(cat\\) and \\(dog\\)',
    'ask-me-anything-about-it, token: blue, https://example.org/a/b/c.png',
    '{"key":"sampler_name","a":{"b":["1",0]},"c":"d"}',
    `${'0af8c2cbbb0123456789abcdef'.repeat(3)}\n`.repeat(4),
  ])('%s', (text) => {
    expect(scrub(text)).toBe(text);
  });

  test('never grows; a second time changes nothing', () => {
    const parts = fc.constantFrom(
      '{',
      '}',
      '"',
      ':',
      '\\',
      '/home/a/',
      'C:\\',
      'b',
      ' ',
      'token',
      'sk-0123456789abcdefgh',
      ',',
      '\n',
      '[',
      ']',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(parts, { maxLength: 30 }).map((all) => all.join('')),
          fc.json(),
        ),
        (text) => {
          expect(scrub(text).length).toBeLessThanOrEqual(text.length);
          expect(scrub(scrub(text))).toBe(scrub(text));
        },
      ),
    );
  });
});

describe('what is too much', () => {
  test.each(['{"a":', '['])('JSON deeper than a thousand goes whole: %s', (open) => {
    expect(scrub(open.repeat(1_000))).toBe(open.repeat(1_000));
    expect(scrub(open.repeat(1_001))).toBe('');
    expect(scrub(JSON.stringify({ text: open.repeat(1_001) }))).not.toBe('');
  });

  test('so does a text that is beyond 16 Mi characters together with those before', () => {
    const scrubber = createScrubber();
    const text = 'more words '.repeat(1_000_000);
    expect(scrubber.scrub(text)).toBe(text);
    expect(scrubber.scrub(text)).toBe('');
    expect(scrubber.scrub('a word')).toBe('a word');
  });

  test('so does a run without end, which ends in no error', () => {
    expect(createScrubber().scrub('a'.repeat(15 * 1024 * 1024))).toBe('');
  });

  test('known secrets are taken out in one pass, the longer of two as a whole', () => {
    const known = ['a secret word', 'a secret'].map((text) => ({ kind: 'key', text }) as const);
    expect(createScrubber(known).scrub('1 a secret word 2 a secret 3')).toBe('1  2  3');
  });
});

describe('the search', () => {
  const hay = (encode: (text: string) => Buffer): Uint8Array =>
    Buffer.concat([Buffer.alloc(7, 1), encode('some "secret"\nwords & more of them'), Buffer.alloc(5, 2)]);
  const encodings: Readonly<Record<string, (text: string) => Buffer>> = {
    'UTF-8': (text) => Buffer.from(text),
    'UTF-16LE': (text) => Buffer.from(text, 'utf16le'),
    'UTF-16BE': (text) => Buffer.from(text, 'utf16le').swap16(),
    JSON: (text) => Buffer.from(JSON.stringify(text)),
    XML: (text) => Buffer.from(text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')),
  };

  test.each(Object.entries(encodings))('finds a text and a part of it in %s', (_, encode) => {
    const text = 'some "secret"\nwords & more of them';
    expect(findNeedles([hay(encode)], needlesOfText(text, 'it')).length).toBeGreaterThan(0);
    const part = hay(encode).subarray(9);
    expect(findNeedles([part], needlesOfPieces([{ text, of: 'it' }], '')).map(({ of }) => of)).toContain(
      'it',
    );
    expect(
      findNeedles([hay(encode)], needlesOfPieces([{ text, of: 'it' }], text)).filter(
        ({ bytes }) => bytes.length === 16,
      ),
    ).toEqual([]);
    expect(findNeedles([Buffer.alloc(99)], needlesOfPieces([{ text, of: 'it' }], ''))).toEqual([]);
  });

  test('texts that a file repeats are looked for once', () => {
    const text = Array.from({ length: 2_000 }, (_, i) => `${i} words; `).join('');
    const once = needlesOfPieces([{ text, of: 'it' }], '').length;
    const often = Array.from({ length: 500 }, () => ({ text, of: 'it' }));
    expect(needlesOfPieces(often, '').length).toBe(once);
  });

  // Three encodings of four spellings, Latin-1 of three of them; of 8,192 pieces and a last one a text.
  const MOST = 15 * (8_192 + 400);
  test.each([
    ['many long texts', 400, 9_000],
    ['very many short ones', 60_000, 12],
    ['one long one', 1, 5_000_000],
  ])('what is looked for is bounded for %s', (_, count, length) => {
    const texts = Array.from({ length: count }, (_, i) => ({
      text: `<"\u00e9${i}" `.repeat(Math.ceil(length / 8)).slice(0, length),
      of: 'it',
    }));
    const needles = needlesOfPieces(texts, '');
    expect(needles.length).toBeGreaterThan(0);
    expect(needles.length).toBeLessThanOrEqual(MOST);
    const data = texts.map(({ text, of }) => ({ data: new TextEncoder().encode(text), name: of }));
    expect(needlesOfBytes(data).length).toBeLessThanOrEqual(8_192 + 400);
  });

  test('in a long text that may stay, a piece is found anywhere', () => {
    const own = 'a word that only the removed text has';
    const allowed = `${'x'.repeat(1_000_001)}what both of them say, at length`;
    const texts = [
      { text: 'what both of them say, at length', of: 'shared' },
      { text: own, of: 'own' },
    ];
    expect(new Set(needlesOfPieces(texts, allowed).map(({ of }) => of))).toEqual(new Set(['own']));
  });
});
