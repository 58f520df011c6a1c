import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IMAGE_FORMATS } from '../../nodes/kit/values.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { embedMetadata } from '../../nodes/metadata/embed.ts';
import { renderParameters } from '../../nodes/metadata/infotext.ts';
import { meantBy } from '../../nodes/metadata/meant.ts';
import { civitai } from '../../nodes/metadata/readers/civitai.ts';
import { viewFile } from '../../nodes/metadata/readers/view.ts';
import { makeReceipt } from '../../nodes/metadata/receipt.ts';
import { resolveResources } from '../../nodes/metadata/resolve.ts';
import { writeUp } from '../../nodes/metadata/write-up.ts';
import { makeImage } from '../formats/samples.ts';
import { chain, codes, kSampler, learnGraph, node } from './graphs.ts';
import { type LiteralModel, literalModels } from './model-store.ts';
import { infotext } from './reader-views.ts';

const loaded = (names: readonly string[], strength: unknown = 0.8) => ({
  ...chain(kSampler('k', 9)),
  ckpt: node('CheckpointLoaderSimple', { ckpt_name: 'base.safetensors' }),
  ...Object.fromEntries(
    names.map((name, i) => [
      `lora${i}`,
      node('LoraLoaderModelOnly', {
        lora_name: name,
        strength_model: strength,
        model: [i === 0 ? 'ckpt' : `lora${i - 1}`, 0],
      }),
    ]),
  ),
  k: node('KSampler', { ...chain(kSampler('k', 9))['k']?.inputs, model: [`lora${names.length - 1}`, 0] }),
});

const model = (name: string, autoV2: string, modelVersionId?: number, modelName?: string): LiteralModel => ({
  name,
  autoV2,
  ...(modelVersionId !== undefined && {
    published: { version: { modelVersionId, ...(modelName && { modelName }) }, sha256s: [] },
  }),
});

async function write(graph: ReturnType<typeof loaded>, models: readonly LiteralModel[]) {
  const { warn, list } = createWarningLog();
  const { learnt } = learnGraph(graph);
  const resources = await resolveResources(learnt, literalModels(models), warn);
  const size = { width: 6, height: 4 };
  const { metadata, record } = writeUp(learnt, resources, { size, graphs: { prompt: graph } }, () => {});
  return { metadata, record, text: renderParameters(metadata.parameters), warnings: codes(list) };
}

const BASE = model('base.safetensors', '1a1a1a1a1a', 128713, 'DreamShaper');
const GLOW = model('glow.safetensors', '3c3c3c3c3c', 87153, 'Glow');

test('is the list that Civitai’s own generator writes, the LoRA with its weight', async () => {
  const { text } = await write(loaded(['glow.safetensors']), [BASE, GLOW]);
  const [, list = ''] = /, Civitai resources: (\[.*?\}\])/.exec(text) ?? [];
  expect(list).toBe(
    '[{"type":"checkpoint","modelVersionId":128713,"modelName":"DreamShaper"},' +
      '{"type":"lora","weight":0.8,"modelVersionId":87153,"modelName":"Glow"}]',
  );
});

test('without a sidecar there is none; with one for some, those are listed', async () => {
  const none = await write(loaded(['glow.safetensors']), [model('base.safetensors', '1a1a1a1a1a')]);
  expect(none.text).not.toContain('Civitai resources');
  const some = await write(loaded(['glow.safetensors']), [model('base.safetensors', '1a1a1a1a1a'), GLOW]);
  expect(some.text).toContain('[{"type":"lora","weight":0.8,"modelVersionId":87153,"modelName":"Glow"}]');
});

test('only LoRAs without a weight in the list stand in "Lora hashes"; all stand in Hashes', async () => {
  const plain = model('plain.safetensors', '5e5e5e5e5e');
  const { text } = await write(loaded(['glow.safetensors', 'plain.safetensors']), [BASE, GLOW, plain]);
  expect(text).toContain(', Lora hashes: "plain: 5e5e5e5e5e", ');
  expect(text).toContain('"lora:glow":"3c3c3c3c3c"');
});

test('a version counts once; a strength that only a run could tell has no weight', async () => {
  const again = await write(loaded(['glow.safetensors', 'other.safetensors']), [
    BASE,
    GLOW,
    model('other.safetensors', '4d4d4d4d4d', 87153),
  ]);
  expect(again.text.match(/"modelVersionId":87153/g)).toHaveLength(1);
  const unknown = await write(loaded(['glow.safetensors'], ['nowhere', 0]), [BASE, GLOW]);
  expect(unknown.text).toContain('{"type":"lora"');
  expect(unknown.text).not.toContain('NaN');
});

describe('readers', () => {
  test.each(IMAGE_FORMATS)(
    'in %s Civitai shows the versions and weights, and no reader loses a field',
    async (format) => {
      const { metadata } = await write(loaded(['glow.safetensors']), [BASE, GLOW]);
      const picture = await makeImage(format);
      const embedded = embedMetadata(picture, { ...metadata, maxExifBytes: 60 * 1024 }, () => {});
      const seen = civitai.read(viewFile(embedded.bytes));
      expect(seen.sees?.resources).toEqual(
        expect.arrayContaining([
          { type: 'checkpoint', name: '128713' },
          { type: 'lora', name: '87153', weight: 0.8 },
        ]),
      );
      const bare = await write(loaded(['glow.safetensors']), [
        model('base.safetensors', '1a1a1a1a1a'),
        model('glow.safetensors', '3c3c3c3c3c'),
      ]);
      const without = embedMetadata(picture, { ...bare.metadata, maxExifBytes: 60 * 1024 }, () => {});
      const losses = makeReceipt(embedded.bytes, meantBy(metadata, embedded));
      const before = makeReceipt(without.bytes, meantBy(bare.metadata, without));
      const lost = (rows: typeof losses) =>
        rows.map(({ reader, loses }) => [reader, loses.map(({ what }) => what)]);
      // Only the weight is no longer lost.
      expect(lost(losses)).toEqual(
        lost(before).map(([reader, names]) => [
          reader,
          [...(names ?? [])].filter((what) => what !== 'weight of glow'),
        ]),
      );
      expect(lost(before).flat(2)).toContain('weight of glow');
    },
  );

  test('no name in a sidecar breaks the line for Civitai', async () => {
    const odd = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc
        .array(
          fc.constantFrom(
            '}]',
            ', ',
            'Hashes: {',
            '"',
            '\\',
            'Steps: 9',
            'Resources: ',
            '[',
            '{',
            '<lora:x:1>',
            '\n',
            'é',
          ),
          { maxLength: 6 },
        )
        .map((parts) => parts.join('')),
    );
    await fc.assert(
      fc.asyncProperty(odd, async (name) => {
        const { text } = await write(loaded(['glow.safetensors']), [
          {
            ...BASE,
            published: { version: { modelVersionId: 5, modelName: name, versionName: name }, sha256s: [] },
          },
          GLOW,
        ]);
        const { ok, sees } = civitai.read(infotext(text));
        expect(ok).toBe(true);
        expect(sees?.steps).toBe('9');
        expect(sees?.resources).toEqual(
          expect.arrayContaining([
            { type: 'checkpoint', name: '5' },
            { type: 'lora', name: '87153', weight: 0.8 },
          ]),
        );
      }),
      { numRuns: 200 },
    );
  });
});

test('a sidecar of another file is told and ignored', async () => {
  const foreign = { version: { modelVersionId: 1 }, sha256s: ['f'.repeat(64)] };
  const own = { version: { modelVersionId: 2 }, sha256s: ['f'.repeat(64), '3c3c3c3c3c'.padEnd(64, '0')] };
  const { text, warnings } = await write(loaded(['glow.safetensors']), [
    { ...BASE, published: foreign },
    { ...GLOW, published: own },
  ]);
  expect(warnings).toEqual(['resource/sidecar']);
  expect(text).not.toContain('checkpoint');
  expect(text).toContain('"modelVersionId":2');
});

test('tagging again without model folders keeps what the record says', async () => {
  const graph = loaded(['glow.safetensors']);
  const first = await write(graph, [BASE, GLOW]);
  const { learnt } = learnGraph(graph);
  const unconfigured = {
    find: async () => ({ found: false, reason: 'unconfigured' }) as const,
    hash: () => Promise.reject(new Error('nothing to hash')),
  };
  const known = first.record.resources;
  const resources = await resolveResources(learnt, unconfigured, () => {}, { known });
  const { metadata } = writeUp(learnt, resources, { size: { width: 6, height: 4 } }, () => {});
  expect(renderParameters(metadata.parameters)).toBe(first.text);
});
