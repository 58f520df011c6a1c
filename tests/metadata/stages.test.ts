import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spliceContainer } from '../../nodes/formats/container.ts';
import { writeExif } from '../../nodes/formats/exif.ts';
import { type Embedded, embedMetadata } from '../../nodes/metadata/embed.ts';
import { type Detail, type Parameters, renderParameters } from '../../nodes/metadata/infotext.ts';
import { STAGES, type Stage } from '../../nodes/metadata/stages.ts';
import { makeImage } from '../formats/samples.ts';
import { readSegments } from './jpeg-segments.ts';

const picture = await makeImage('jpeg');

/** The picture with so long a name in its own EXIF: it shares the segment with our text. */
function pictureOf(artistChars: number): Uint8Array {
  if (artistChars === 0) return picture;
  const ascii = new Map([[0x13b, 'a'.repeat(artistChars)]]);
  return spliceContainer(picture, { exif: writeExif({ ascii, width: 13, height: 9 }) });
}
/** So long that 4 KiB leave no room for settings. */
const CROWD = 3_850;

const KEYS: readonly Detail[] = [
  { key: 'Steps', value: '25' },
  { key: 'Sampler', value: 'Euler' },
  { key: 'Schedule type', value: 'Normal' },
  { key: 'CFG scale', value: '8.0' },
  { key: 'Distilled CFG Scale', value: '3.5' },
  { key: 'Seed', value: '18446744073709551615' },
  { key: 'Size', value: '13x9' },
  { key: 'Model hash', value: 'aaaaaaaaaa' },
  { key: 'Model', value: 'base' },
  { key: 'VAE hash', value: 'bbbbbbbbbb' },
  { key: 'VAE', value: 'kl' },
  { key: 'Shift', value: '3' },
  { key: 'LoRA 0', value: '"Name: glow, Strength model: 0.8"' },
  { key: 'Lora hashes', value: '"glow: cccccccccc"' },
  { key: 'Project', value: 'heron' },
  { key: 'Version', value: 'ComfyUI' },
  { key: 'Samplers', value: 'Euler (0-19) | Heun (20-24)' },
  { key: 'Samplers detail', value: '"1: Euler 0-19, 2: Heun 20-24"' },
];
const HASHES = new Map([
  ['model', 'aaaaaaaaaa'],
  ['vae', 'bbbbbbbbbb'],
  ['lora:glow', 'cccccccccc'],
  ['embed:easy', 'dddddddddd'],
  ['model:refiner', 'eeeeeeeeee'],
]);

function parameters(positive: string, negative: string, more: Partial<Parameters> = {}): Parameters {
  return { positive, negative, details: KEYS, hashes: HASHES, ...more };
}

type Given = {
  readonly parameters: Parameters;
  readonly graphChars?: number;
  readonly recordChars?: number;
  readonly artistChars?: number;
};

function embed(
  { parameters: given, graphChars = 100, recordChars = 100, artistChars = 0 }: Given,
  maxExifBytes: number,
): Embedded {
  return embedMetadata(
    pictureOf(artistChars),
    {
      parameters: given,
      prompt: JSON.stringify('p'.repeat(graphChars)),
      workflow: JSON.stringify('w'.repeat(graphChars)),
      record: JSON.stringify('r'.repeat(recordChars)),
      maxExifBytes,
    },
    () => {},
  );
}

/** The details line as readers split it: at commas outside of quotes and braces. */
function detailsOf(text: string): Map<string, string> {
  const line = text.split('\n').at(-1) ?? '';
  const parts = line.match(/[^,:]+: (?:"[^"]*"|\{[^}]*\}|[^,]*)/g) ?? [];
  return new Map(
    parts.map((part) => [part.split(': ', 1)[0]?.trim() ?? '', part.slice(part.indexOf(': ') + 2)]),
  );
}

const word = fc.constantFrom(
  'heron',
  'a',
  '(b:1.2)',
  'Steps',
  '😀',
  '中文',
  'é',
  '\n',
  '"x"',
  '\ud83d\udc68\u200d',
);
/** Texts from nothing to some hundred kilobytes, in ASCII and beyond. */
const anyText = fc
  .tuple(fc.array(word, { maxLength: 6 }), fc.constantFrom(1, 10, 300, 2_000, 9_000), fc.boolean())
  .map(([words, times, isAscii]) => {
    const text = `${words.join(' ')} `.repeat(times).trim();
    return isAscii ? text.replace(/[^ -~\n]/g, 'z') : text;
  });
const anyGiven: fc.Arbitrary<Given> = fc
  .record({
    positive: anyText,
    negative: anyText,
    keep: fc.array(fc.boolean(), { minLength: KEYS.length, maxLength: KEYS.length }),
    note: anyText.map((text) => text.replace(/[\s,:"]+/g, ' ').trim()),
    loras: fc.constantFrom(0, 1, 50),
    graphChars: fc.constantFrom(10, 3_000, 30_000, 100_000),
    recordChars: fc.constantFrom(10, 3_000, 60_000, 100_000),
    artistChars: fc.constantFrom(0, 0, 0, 3_000, CROWD),
  })
  .map(({ positive, negative, keep, note, loras, ...sizes }) => {
    const details = KEYS.filter(({ key }, i) => key === 'Steps' || keep[i]);
    const at = details.findIndex(({ key }) => ['Version', 'Samplers', 'Samplers detail'].includes(key));
    const own =
      note === ''
        ? details
        : details.toSpliced(at < 0 ? details.length : at, 0, { key: 'Note', value: note });
    const hashes = new Map([
      ...HASHES,
      ...Array.from({ length: loras }, (_, i): [string, string] => [`lora:l${i}`, '0123456789']),
    ]);
    return { parameters: { positive, negative, details: own, hashes }, ...sizes };
  });
const budget = fc.oneof(fc.integer({ min: 4096, max: 65_535 }), fc.constantFrom(4096, 8192, 65_535));
const RUNS = { numRuns: 80 };

describe('the budget of a JPEG', () => {
  test('bounds the EXIF, XMP and COM segments, marker included, to the byte', () => {
    fc.assert(
      fc.property(anyGiven, budget, (given, bytes) => {
        const { exifBytes, xmpBytes, comBytes } = readSegments(embed(given, bytes).bytes);
        expect(Math.max(exifBytes, xmpBytes, comBytes)).toBeLessThanOrEqual(bytes);
      }),
      RUNS,
    );
  });

  test.each([
    ['the EXIF segment', 'ascii'],
    ['the EXIF segment', '中'],
  ])('%s is used to the last byte: %s', (_what, unit) => {
    // Grown a character at a time, the text takes the step to the next stage where it would be one byte too much.
    const at = (chars: number) => embed({ parameters: parameters(unit.slice(0, 1).repeat(chars), '') }, 8192);
    let [low, high] = [1, 9000];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (at(middle).stage === 'full') low = middle;
      else high = middle;
    }
    const room = 8192 - readSegments(at(low).bytes).exifBytes;
    expect(room).toBeGreaterThanOrEqual(0);
    // UTF-16 takes two bytes a character; ASCII is padded to even.
    expect(room).toBeLessThan(2);
  });

  test.each([
    ['EXIF', 'minimal', 0],
    ['COM', 'com-marker', CROWD],
  ] as const)(
    'the %s segment is used to the last character of a cut prompt',
    (segment, wanted, artistChars) => {
      for (let i = 0; i < 8; i++) {
        const given = parameters(`${'x'.repeat(i)}${'ä'.repeat(30_000 + 531 * i)}`, '');
        const { bytes, stage } = embed({ parameters: given, artistChars }, 4096 + 3 * i);
        expect(stage).toBe(wanted);
        const { exifBytes, comBytes } = readSegments(bytes);
        const room = 4096 + 3 * i - (segment === 'EXIF' ? exifBytes : comBytes);
        expect(room).toBeGreaterThanOrEqual(0);
        // A letter with an umlaut takes two bytes in either.
        expect(room).toBeLessThan(2);
      }
    },
  );

  test.each([
    [0, 4096],
    [1e9, 65_535],
  ])('a budget of %d counts as %d', (asked, counted) => {
    const given = { parameters: parameters('x'.repeat(70_000), '') };
    expect(Buffer.from(embed(given, asked).bytes)).toEqual(Buffer.from(embed(given, counted).bytes));
  });
});

/** By hand, from the table in README's section on small JPEGs. */
const MAKES_IT = [
  'Steps',
  'Sampler',
  'Schedule type',
  'CFG scale',
  'Distilled CFG Scale',
  'Seed',
  'Size',
  'Model hash',
  'Model',
];

describe('every stage', () => {
  test('the text in the file is the text that is told', () => {
    fc.assert(
      fc.property(anyGiven, budget, (given, bytes) => {
        const { stage, text, bytes: file } = embed(given, bytes);
        const { userComment, com } = readSegments(file);
        if (stage === 'com-marker') {
          expect(com).toBe(text);
          expect(userComment).toBeUndefined();
        } else {
          expect(com).toBeUndefined();
          // One space may even the number of bytes.
          expect([text, `${text} `]).toContain(userComment?.text);
        }
      }),
      RUNS,
    );
  });

  test('holds Steps, every key that makes the picture where programs read them, and a valid Hashes object', () => {
    fc.assert(
      fc.property(anyGiven, budget, (given, bytes) => {
        const { stage, text, dropped } = embed(given, bytes);
        const kept = detailsOf(text);
        expect(kept.get('Steps')).toBe('25');
        const [positive = ''] = text.split('\nNegative prompt:', 1);
        const whole = given.parameters.positive;
        expect(whole.startsWith(positive)).toBe(true);
        expect(dropped.some(({ what }) => what === 'positive prompt')).toBe(positive !== whole);
        if (positive !== whole) expect(['minimal', 'com-marker']).toContain(stage);
        for (const { key, value } of given.parameters.details)
          if (MAKES_IT.includes(key)) expect(kept.get(key)).toBe(value);
        const hashes = /Hashes: (\{.*?\})/.exec(text.split('\n').at(-1) ?? '')?.[1];
        for (const [key, hash] of Object.entries(hashes === undefined ? {} : JSON.parse(hashes)))
          expect(given.parameters.hashes.get(key)).toBe(hash);
      }),
      RUNS,
    );
  });

  test('never cuts through a character, and never changes the order of keys', () => {
    fc.assert(
      fc.property(anyGiven, budget, (given, bytes) => {
        const { text } = embed(given, bytes);
        expect(text.isWellFormed()).toBe(true);
        const order = given.parameters.details.map(({ key }) => key);
        const kept = [...detailsOf(text).keys()].filter((key) => order.includes(key));
        expect(kept).toEqual(order.filter((key) => kept.includes(key)));
      }),
      RUNS,
    );
  });

  test('says which it is, last, unless it is full', () => {
    fc.assert(
      fc.property(anyGiven, budget, (given, bytes) => {
        const { stage, text } = embed(given, bytes);
        if (stage === 'full') {
          expect(text).toBe(renderParameters(given.parameters));
          expect(text).not.toContain('Metadata Fallback');
        } else expect(text.endsWith(`, Metadata Fallback: ${stage}`)).toBe(true);
      }),
      RUNS,
    );
  });

  test('tells of each key that is not there, and of nothing else', () => {
    fc.assert(
      fc.property(anyGiven, budget, (given, bytes) => {
        const { stage, text, dropped, bytes: file } = embed(given, bytes);
        const kept = detailsOf(text);
        const told = dropped.map(({ what }) => what);
        expect(new Set(told).size).toBe(told.length);
        for (const { key } of given.parameters.details) {
          const group = /^VAE/.test(key) ? 'VAE' : /^LoRA \d/.test(key) ? 'LoRA strengths' : key;
          expect(told.includes(group) || told.includes(key), key).toBe(!kept.has(key));
        }
        const { xmp, ifd0 } = readSegments(file);
        expect(told.includes('lineage:record')).toBe(!xmp.includes('lineage:record'));
        expect(told.includes('prompt')).toBe(
          ![...ifd0.values()].some((text_) => text_.startsWith('prompt:')),
        );
        expect(told.includes('workflow')).toBe(
          ![...ifd0.values()].some((text_) => text_.startsWith('workflow:')),
        );
        if (stage === 'full') expect(told.filter((what) => what !== 'lineage:record')).toEqual([]);
      }),
      RUNS,
    );
  });
});

describe('a bigger budget', () => {
  const rank = (stage: Stage): number => STAGES.indexOf(stage);

  test('never gives a later stage, nor less text within a stage', () => {
    fc.assert(
      fc.property(anyGiven, budget, budget, (given, a, b) => {
        const [small, large] = [embed(given, Math.min(a, b)), embed(given, Math.max(a, b))];
        expect(rank(large.stage)).toBeLessThanOrEqual(rank(small.stage));
        if (large.stage !== small.stage) return;
        expect(large.text.length).toBeGreaterThanOrEqual(small.text.length);
        for (const key of detailsOf(small.text).keys()) expect(detailsOf(large.text).has(key)).toBe(true);
      }),
      { numRuns: 120 },
    );
  });

  test('gives each stage in turn', () => {
    const given = {
      parameters: parameters('heron '.repeat(800).trim(), 'blur '.repeat(800).trim()),
      graphChars: 4000,
      artistChars: CROWD,
    };
    const seen = [65_535, 16_384, 12_288, 4_096].map((bytes) => embed(given, bytes).stage);
    expect(seen).toEqual(['full', 'reduced-exif', 'minimal', 'com-marker']);
  });
});

describe('before anything is trimmed', () => {
  const room = 'x'.repeat(2500);

  test('ASCII takes the place of UTF-16, for text that is ASCII', () => {
    const [plain, other] = [parameters(room, ''), parameters(`${room}é`, '')];
    const coded = (given: Parameters, bytes: number) => {
      const { stage, bytes: file } = embed({ parameters: given }, bytes);
      return [stage, readSegments(file).userComment?.code];
    };
    expect(coded(plain, 16_384)).toEqual(['full', 'UNICODE']);
    expect(coded(plain, 4096)).toEqual(['full', 'ASCII']);
    expect(coded(other, 16_384)).toEqual(['full', 'UNICODE']);
    // Without its one letter beyond ASCII, the last one, all the others fit.
    expect(coded(other, 4096)).toEqual(['minimal', 'ASCII']);
    expect(embed({ parameters: other }, 4096).dropped).toContainEqual({
      what: 'positive prompt',
      why: 'cut to 2500 of 2501 characters',
    });
  });

  test('an ASCII comment has an even number of bytes', () => {
    for (const extra of ['', 'x']) {
      const { bytes } = embed({ parameters: parameters(`${room}${extra}`, '') }, 4096);
      expect((readSegments(bytes).userComment?.text.length ?? 1) % 2).toBe(0);
    }
  });
});

describe('what goes first', () => {
  test('reduced leaves out the graphs and the block of samplers, and keeps their line', () => {
    const { text, stage, dropped } = embed({ parameters: parameters('a', 'b'), graphChars: 9000 }, 8192);
    expect(stage).toBe('reduced-exif');
    expect(detailsOf(text).get('Samplers')).toBe('Euler (0-19) | Heun (20-24)');
    expect(dropped.map(({ what }) => what)).toEqual([
      'prompt',
      'workflow',
      'Samplers detail',
      'lineage:record',
    ]);
  });

  /** The settings of `KEYS` that `minimal` starts with: all but Shift, Project and the samplers. */
  const SETTINGS = [
    ...MAKES_IT.slice(0, 9),
    'VAE hash',
    'VAE',
    'LoRA 0',
    'Lora hashes',
    'Hashes',
    'Version',
    'Metadata Fallback',
  ];
  const promptsOf = (text: string): [string, string] => {
    const [positive = '', rest = ''] = text.split('\nNegative prompt: ');
    return [positive, rest.slice(0, rest.lastIndexOf('\n'))];
  };
  const notes = ({ dropped }: Embedded): string[] =>
    dropped.filter(({ what }) => / prompt$/.test(what)).map(({ what, why }) => `${what}: ${why}`);

  test.each([
    ['minimal', 0, [4_096, 4_300, 5_200]],
    ['com-marker', CROWD, [4_096]],
  ] as const)('%s keeps its settings line whole and cuts prompts', (stage, artistChars, budgets) => {
    for (const bytes of budgets) {
      const given = { parameters: parameters('x'.repeat(3_000), 'é'.repeat(3_000)), artistChars };
      const embedded = embed(given, bytes);
      expect(embedded.stage).toBe(stage);
      expect([...detailsOf(embedded.text).keys()]).toEqual(SETTINGS);
    }
  });

  test('a long negative prompt takes what the positive one leaves', () => {
    const given = { parameters: parameters('x'.repeat(1_000), 'y'.repeat(9_000)) };
    const embedded = embed(given, 4096);
    const [positive, negative] = promptsOf(embedded.text);
    expect(embedded.stage).toBe('minimal');
    expect(positive).toBe('x'.repeat(1_000));
    expect(negative.length).toBeGreaterThan(1_500);
    expect(notes(embedded)).toEqual([`negative prompt: cut to ${negative.length} of 9000 characters`]);
  });

  test('a short negative prompt stays beside a positive one that is cut', () => {
    const embedded = embed({ parameters: parameters('x'.repeat(9_000), 'text, watermark') }, 4096);
    const [positive, negative] = promptsOf(embedded.text);
    expect(negative).toBe('text, watermark');
    expect(notes(embedded)).toEqual([`positive prompt: cut to ${positive.length} of 9000 characters`]);
  });

  test('where both are too long, three quarters of the room are for the positive prompt', () => {
    const embedded = embed({ parameters: parameters('x'.repeat(9_000), 'y'.repeat(9_000)) }, 4096);
    const [positive, negative] = promptsOf(embedded.text);
    expect(positive.length / (positive.length + negative.length)).toBeCloseTo(0.75, 2);
    expect(notes(embedded)).toHaveLength(2);
  });

  test('settings longer than the prompts lose keys by importance, but none that makes the picture', () => {
    const hashes = (loras: number): Map<string, string> =>
      new Map([
        ...HASHES,
        ...Array.from({ length: loras }, (_, i): [string, string] => [`lora:style-${i}`, '0123456789']),
      ]);
    const lost = (loras: number): string[] => {
      const given = parameters('x'.repeat(9_000), 'y', { hashes: hashes(loras) });
      const { stage, text, dropped } = embed({ parameters: given }, 4096);
      expect(stage).toBe('minimal');
      for (const key of MAKES_IT) expect(detailsOf(text).has(key)).toBe(true);
      const what = dropped.map((each) => each.what);
      return what.slice(what.indexOf('Samplers detail') + 1, what.indexOf('positive prompt'));
    };
    // An entry has 28 characters: 30 are fewer than half of the segment, 100 more than 4 KiB allow beside a prompt.
    expect(lost(30)).toEqual([]);
    expect(lost(100)).toEqual([
      'LoRA strengths',
      'embedding hashes',
      'Lora hashes',
      'VAE',
      'hashes of LoRAs and further models',
    ]);
  });

  test('com-marker loses what makes the picture only where not even empty prompts fit beside it', () => {
    const details = KEYS.map((each) =>
      each.key === 'Model' ? { key: 'Model', value: 'm'.repeat(5_000) } : each,
    );
    const { text, stage, dropped } = embed({ parameters: parameters('heron', 'y', { details }) }, 4096);
    expect(stage).toBe('com-marker');
    expect([...detailsOf(text).keys()]).toEqual([
      'Steps',
      'Sampler',
      'CFG scale',
      'Seed',
      'Model hash',
      'Hashes',
      'Metadata Fallback',
    ]);
    expect(text).toContain('Hashes: {"model":"aaaaaaaaaa"}');
    expect(text).toContain('heron\nNegative prompt: y\n');
    expect(dropped.map(({ what }) => what).slice(-6)).toEqual([
      'Version',
      'Schedule type',
      'Distilled CFG Scale',
      'Size',
      'Model',
      'lineage:record',
    ]);
  });

  test('a cut never leaves half of a character', () => {
    for (const artistChars of [0, CROWD])
      for (let i = 0; i < 8; i++) {
        const given = { parameters: parameters(`${'x'.repeat(i)}${'😀'.repeat(3000)}`, ''), artistChars };
        const [positive] = promptsOf(embed(given, 4096).text);
        expect(positive).toMatch(/^x*(?:😀)+$/u);
      }
  });
});
