import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { spliceContainer } from '../../nodes/formats/container.ts';
import { writeExif } from '../../nodes/formats/exif.ts';
import { parseExactJson, stringifyAscii } from '../../nodes/kit/exact-json.ts';
import { embedMetadata } from '../../nodes/metadata/embed.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { type Parameters, renderMultiline, renderParameters } from '../../nodes/metadata/infotext.ts';
import { learn } from '../../nodes/metadata/learn.ts';
import { toParameters } from '../../nodes/metadata/parameters.ts';
import { recordSchema, toRecord } from '../../nodes/metadata/record.ts';
import { resolveResources } from '../../nodes/metadata/resolve.ts';
import { makeImage } from '../formats/samples.ts';
import { advanced, chain, kSampler, learnGraph, type RawGraph, ruleBook, ruled } from './graphs.ts';
import { readSegments } from './jpeg-segments.ts';
import { literalModels } from './model-store.ts';

const read = (name: string): string =>
  readFileSync(new URL(`../../fixtures/golden/${name}`, import.meta.url), 'utf8');
const SEPARATOR = '\n\n--- one key a line ---\n';

/** Base, refiner and a second pass over the whole picture, with hashes and a key of the user's own. */
async function describeGolden() {
  const graph = parsePromptGraph(
    parseExactJson(read('multi-sampler.prompt.json'), () => {}),
    () => {},
  );
  const learnt = learn(graph, '19', ruleBook, { select: 'range', maxSamplers: 4 }, () => {});
  const models = literalModels([
    { name: 'sdxl/sd_xl_base_1.0.safetensors', autoV2: '1a1a1a1a1a' },
    { name: 'sdxl/sd_xl_refiner_1.0.safetensors', autoV2: '2b2b2b2b2b' },
    { name: 'glow.safetensors', autoV2: '3c3c3c3c3c' },
    { name: 'sdxl_vae.safetensors', autoV2: '4d4d4d4d4d' },
  ]);
  const resources = await resolveResources(learnt, models, () => {});
  const extra = new Map([['Project', 'heron book']]);
  return {
    parameters: toParameters(learnt, resources, { extra }, () => {}),
    record: stringifyAscii(toRecord(learnt, resources, { generator: 'test' })),
  };
}

test('the golden sample: the text that is written, and the same with one key a line', async () => {
  const { parameters } = await describeGolden();
  const [text, multiline] = read('multi-sampler.txt').trimEnd().split(SEPARATOR);
  expect(renderParameters(parameters)).toBe(text);
  expect(renderMultiline(parameters)).toBe(multiline);
});

const picture = await makeImage('jpeg');
/** Its own EXIF leaves no room for settings in 4 KiB. */
const crowded = spliceContainer(picture, {
  exif: writeExif({ ascii: new Map([[0x13b, 'a'.repeat(3_850)]]), width: 13, height: 9 }),
});

/** The text that a reader finds in a JPEG of this budget, and the samplers of the record beside it. */
function written(parameters: Parameters, record: string, maxExifBytes: number, into = picture) {
  const prompt = stringifyAscii('p'.repeat(3000));
  const { bytes, stage } = embedMetadata(into, { parameters, prompt, record, maxExifBytes }, () => {});
  const { userComment, com, xmp } = readSegments(bytes);
  const json = /lineage:record>([^<]+)</.exec(xmp)?.[1] ?? /lineage:record="([^"]+)"/.exec(xmp)?.[1];
  const text = (userComment?.text ?? com ?? '').trimEnd();
  return { stage, text, record: json?.replaceAll('&quot;', '"') };
}

function parametersOf(graph: RawGraph): Parameters {
  return toParameters(learnGraph(graph).learnt, new Map(), {}, () => {});
}

const TAIL = 'Samplers: Euler (0-19) | Heun (0-11) | DPM++ 2M (20-29)';
const BLOCK = 'Samplers detail: "1: Euler 0-19, 2: Heun 0-11, 3: DPM++ 2M 20-29"';

describe('several samplers in a real JPEG', () => {
  // A prompt of growing length takes the picture through the stages within the smallest budget, down to the one that a
  // picture's own EXIF leads to.
  test.each([
    ['full', 0, true, true],
    ['reduced-exif', 400, true, false],
    ['minimal', 1440, false, false],
    ['minimal', 4000, false, false],
    ['com-marker', 4000, false, false],
  ] as const)(
    'stage %s (%d more characters): tail %s, structured block %s',
    async (stage, chars, tail, block) => {
      const { parameters, record } = await describeGolden();
      const longer = { ...parameters, positive: `${parameters.positive}${'é'.repeat(chars)}` };
      const into = stage === 'com-marker' ? crowded : picture;
      const found = written(longer, record, stage === 'full' ? 60 * 1024 : 4096, into);
      expect(found.stage).toBe(stage);
      expect(found.text.includes(TAIL)).toBe(tail);
      expect(found.text.includes(BLOCK)).toBe(block);
      expect(found.text.includes('Samplers')).toBe(tail);
      expect(found.record !== undefined).toBe(block);
      expect(found.text.includes('Metadata Fallback: ')).toBe(stage !== 'full');
    },
  );

  test('the record beside the full text lists every sampler', async () => {
    const { parameters, record } = await describeGolden();
    const found = written(parameters, record, 60 * 1024);
    const parsed = recordSchema.parse(JSON.parse(found.record ?? ''));
    expect(parsed.samplers.map(({ nodeId, startStep, endStep }) => [nodeId, startStep, endStep])).toEqual([
      ['10', 0, 19],
      ['13', undefined, undefined],
      ['11', 20, 29],
    ]);
  });
});

describe('what was promised of several samplers', () => {
  test('with exactly one there is no trace of the keys, at any stage', () => {
    const parameters = parametersOf(chain(kSampler('10', 30)));
    for (const chars of [0, 400, 1440, 4000]) {
      const longer = { ...parameters, positive: 'é'.repeat(chars) };
      for (const into of [picture, crowded]) {
        const { text } = written(longer, '{}', chars === 0 ? 60 * 1024 : 4096, into);
        expect(text).toContain('Steps: 30');
        expect(text).not.toContain('Samplers');
      }
    }
  });

  test('with more, both keys follow behind everything else, and nothing else changes', () => {
    const one = renderParameters(parametersOf(chain(kSampler('10', 30))));
    const two = renderParameters(
      parametersOf(chain(kSampler('10', 30), ruled('RuledSegment', '11', { start: 30, end: 40 }))),
    );
    expect(two).toBe(
      `${one}, Samplers: Euler (0-29) | Heun (30-39), Samplers detail: "1: Euler 0-29, 2: Heun 30-39"`,
    );
  });

  test.each([
    ['steps', { sampler_name: 'heun', start: 30, end: 10_000 }, 'Heun (30-)', '2: Heun 30-'],
    ['a name', { steps: 9, sampler_name: 'None' }, 'KSampler (0-8)', '2: KSampler 0-8'],
    ['steps and range', { sampler_name: 'heun' }, 'Heun', '2: Heun'],
  ])('a sampler without %s is written without', (what, inputs, tail, block) => {
    const odd =
      what === 'steps' ? ruled('RuledSegment', '11', inputs) : { id: '11', classType: 'KSampler', inputs };
    const text = renderParameters(parametersOf(chain(advanced('10', 40, 0, 30), odd)));
    expect(text).toMatch(/, Samplers: Euler \(0-29\) \| /);
    expect(text.split(', Samplers: ')[1]).toBe(
      `Euler (0-29) | ${tail}, Samplers detail: "1: Euler 0-29, ${block}"`,
    );
    expect(text).not.toMatch(/undefined|null|None|NaN/);
  });

  test('the same graph gives the same bytes, in whatever order its nodes come', async () => {
    const { parameters, record } = await describeGolden();
    const again = await describeGolden();
    expect(again).toEqual({ parameters, record });
    const graph = chain(advanced('10', 30, 0, 20), advanced('11', 30, 20, 30), kSampler('12', 9));
    const shuffled = Object.fromEntries(Object.entries(graph).reverse());
    expect(renderParameters(parametersOf(shuffled))).toBe(renderParameters(parametersOf(graph)));
  });

  test('neither key can break the line for a reader that splits at commas and colons', async () => {
    const { parameters } = await describeGolden();
    const { details } = parameters;
    const value = (key: string) => details.find((each) => each.key === key)?.value ?? '';
    expect(value('Samplers')).not.toMatch(/[,:"{}[\]]/);
    expect(value('Samplers detail')).toMatch(/^"[^"{}[\]]*"$/);
    expect(value('Samplers detail')).not.toMatch(/Steps:/);
    expect(details.slice(-2).map(({ key }) => key)).toEqual(['Samplers', 'Samplers detail']);
  });
});
