import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExactJson, stringifyAscii } from '../../nodes/kit/exact-json.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { toDocument } from '../../nodes/metadata/document.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { renderParameters } from '../../nodes/metadata/infotext.ts';
import { learn } from '../../nodes/metadata/learn.ts';
import { toParameters } from '../../nodes/metadata/parameters.ts';
import { documentSchema, recordSchema, toRecord } from '../../nodes/metadata/record.ts';
import { resolveResources } from '../../nodes/metadata/resolve.ts';
import { fixtureNames, learnFixture, openFixture } from './fixture.ts';
import { chain, kSampler, learnGraph, node, ruleBook } from './graphs.ts';
import { literalModels } from './model-store.ts';

const context = {
  generator: 'lineage-nodes test',
  size: { width: 8, height: 9 },
  batch: { index: 1, size: 2 },
};

describe.each(fixtureNames)('the record of fixtures/prompts/%s', (name) => {
  const { learnt, warnings } = learnFixture(name);
  const json = stringifyAscii(toRecord(learnt, new Map(), context));

  test('is as its schema says, in ASCII, and the same each time', () => {
    expect(json).toMatch(/^[ -~]*$/);
    expect(recordSchema.strict().parse(JSON.parse(json))).toEqual(JSON.parse(json));
    expect(stringifyAscii(toRecord(learnFixture(name).learnt, new Map(), context))).toBe(json);
  });

  test('so is the document that the commands print', () => {
    const parameters = renderParameters(toParameters(learnt, new Map(), {}, () => {}));
    const document = toDocument(toRecord(learnt, new Map(), context), {
      stage: 'full',
      parameters,
      dropped: [],
      warnings,
    });
    const parsed = JSON.parse(stringifyAscii(document));
    expect(documentSchema.strict().parse(parsed)).toEqual(parsed);
  });
});

describe('the record', () => {
  test('spells numbers as the graph does', () => {
    const graph = parseExactJson(
      JSON.stringify(chain(kSampler('k', 5)))
        .replace('"seed":7', '"seed":18446744073709551615')
        .replace('"cfg":5', '"cfg":8.0'),
      () => {},
    );
    const json = stringifyAscii(toRecord(learnGraph(graph).learnt, new Map(), context));
    expect(json).toContain('"field":"SEED","value":18446744073709551615,');
    expect(json).toContain('"field":"CFG","value":8.0,');
  });

  test('tells of each fact how it got into the picture', () => {
    const graph = {
      ...chain(kSampler('k', 5)),
      words: node('PrimitiveString', { value: 'a heron' }),
      pos: node('CLIPTextEncode', { text: ['words', 0], clip: ['ckpt', 1] }),
    };
    const { fields } = toRecord(learnGraph(graph).learnt, new Map(), context);
    const told = (field: string) => fields.filter((each) => each.field === field);
    expect(told('SEED')).toMatchObject([
      { nodeId: 'k', classType: 'KSampler', input: 'seed', rule: 'comfy-core/KSampler.SEED', sampler: 'k' },
    ]);
    expect(told('SEED')[0]?.path).toEqual(['k', 'decode', 'save']);
    expect(told('MODEL_NAME')[0]?.path).toEqual(['ckpt', 'k', 'decode', 'save']);
    expect(told('POSITIVE_PROMPT')[0]?.path).toEqual(['words', 'pos', 'k', 'decode', 'save']);
    expect(told('IMAGE_WIDTH')).toMatchObject([{ sampler: null, path: ['empty', 'k', 'decode', 'save'] }]);
  });

  test('says what became of each file, and never where it lies', async () => {
    const { learnt } = learnGraph(chain(kSampler('k', 5)));
    const models = literalModels([{ name: 'base.safetensors', autoV2: '1a1a1a1a1a' }]);
    const record = toRecord(learnt, await resolveResources(learnt, models, () => {}), context);
    expect(record.resources).toEqual([
      {
        kind: 'model',
        name: 'base.safetensors',
        found: true,
        bytes: 7,
        sha256: '1a1a1a1a1a'.padEnd(64, '0'),
        autoV1: '1a1a1a1a',
        autoV2: '1a1a1a1a1a',
      },
    ]);
    expect(stringifyAscii(record)).not.toContain('/models');
  });

  test('the real size wins over the one of the graph; without either there is none', () => {
    const { learnt } = learnGraph(chain(kSampler('k', 5)));
    expect(toRecord(learnt, new Map(), context).size).toEqual({ width: 8, height: 9 });
    expect(toRecord(learnt, new Map(), { generator: 'x' }).size).toEqual({ width: 64, height: 48 });
    const none = toRecord(learnGraph({ save: { class_type: 'SaveImage' } }).learnt, new Map(), {
      generator: 'x',
    });
    expect(none).not.toHaveProperty('size');
    expect(none).not.toHaveProperty('batch');
  });

  test('is valid whatever literals a graph holds', () => {
    const prompts = fixtureNames.map((name) => ({
      saveNode: openFixture(name).about.saveNode,
      text: openFixture(name).read('prompt.json'),
    }));
    const odd = fc.constantFrom<unknown>(
      1e300,
      -1,
      0,
      0.5,
      2.5,
      '7.50',
      '.5',
      '1e999',
      'None',
      '',
      null,
      true,
      [],
      [1, 2],
      {},
      10_000,
      2 ** 53,
      '007',
      'x'.repeat(300),
      '\ud800',
      2n ** 70n,
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...prompts),
        fc.array(odd, { minLength: 4, maxLength: 12 }),
        fc.nat(7),
        ({ saveNode, text }, values, every) => {
          let i = 0;
          const changed = JSON.parse(text, (key, value: unknown) =>
            (typeof value === 'number' || typeof value === 'string') &&
            !/^(class_type|[01])$/.test(key) &&
            i++ % (every + 1) === 0
              ? values[i % values.length]
              : value,
          );
          const { warn } = createWarningLog();
          const learnt = learn(
            parsePromptGraph(changed, warn),
            saveNode,
            ruleBook,
            { select: 'range', maxSamplers: 4 },
            warn,
          );
          const json = stringifyAscii(toRecord(learnt, new Map(), { generator: 'x' }));
          expect(recordSchema.strict().safeParse(JSON.parse(json)).error?.issues).toBeUndefined();
          renderParameters(toParameters(learnt, new Map(), {}, warn));
        },
      ),
      { numRuns: 600 },
    );
  });
});
