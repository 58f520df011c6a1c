import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createMemoryLedger } from '../../../bridge/local/ledger.ts';
import { createModelStore } from '../../../bridge/local/model-store.ts';
import { isLineageError } from '../../../nodes/kit/errors.ts';

const top = realpathSync(mkdtempSync(join(tmpdir(), 'lineage-sidecars-')));
afterAll(() => rmSync(top, { recursive: true }));

let loras = '';
let model = '';
beforeEach(() => {
  const home = mkdtempSync(join(top, 'case-'));
  loras = join(home, 'models', 'loras');
  mkdirSync(loras, { recursive: true });
  model = join(loras, 'glow v1.2.safetensors');
  writeFileSync(model, 'weights');
});

function beside(ending: string, content: unknown): void {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(loras, `glow v1.2${ending}`), text);
}

async function published() {
  const store = createModelStore({ folders: [join(loras, '..')], ledger: createMemoryLedger() });
  return await store.published?.(model);
}

/** The shape of Civitai's `GET /api/v1/model-versions/{id}`, as download tools keep it. */
const VERSION = {
  id: 87153,
  modelId: 82098,
  name: 'v2.0',
  air: 'urn:air:sd1:lora:civitai:82098@87153',
  baseModel: 'SD 1.5',
  model: { name: 'Add More Details', type: 'LORA', nsfw: false },
  files: [{ id: 1, name: 'x.safetensors', hashes: { AutoV2: '7C6BAD76EB', SHA256: 'AB'.repeat(32) } }],
  images: [],
};
const READ = {
  version: { modelVersionId: 87153, modelName: 'Add More Details', versionName: 'v2.0' },
  sha256s: ['ab'.repeat(32)],
};

test('nothing lies beside it', async () => expect(await published()).toBeUndefined());

test('.civitai.info', async () => {
  beside('.civitai.info', VERSION);
  expect(await published()).toEqual(READ);
});

test('.metadata.json of LoRA Manager', async () => {
  const own = { file_name: 'glow', model_name: 'Mine', sha256: 'cd'.repeat(32), from_civitai: true };
  beside('.metadata.json', { ...own, civitai: VERSION });
  expect(await published()).toEqual({ ...READ, sha256s: ['cd'.repeat(32), 'ab'.repeat(32)] });
  beside('.metadata.json', { ...own, civitai: { id: 5 } });
  expect(await published()).toEqual({
    version: { modelVersionId: 5, modelName: 'Mine' },
    sha256s: ['cd'.repeat(32)],
  });
});

test.each([{}, null])('a model that LoRA Manager found nothing of (%j)', async (civitai) => {
  beside('.metadata.json', { model_name: 'Mine', sha256: 'cd'.repeat(32), civitai });
  expect(await published()).toBeUndefined();
});

test.each([
  ['urn:air:sdxl:lora:civitai:328553@368189', 368189],
  ['civitai:328553@368189.safetensors', 368189],
  ['urn:air:flux1:checkpoint:huggingface:black-forest-labs/FLUX.1-dev@main', undefined],
  ['urn:air:sdxl:lora:civitai:328553', undefined],
  ['urn:air:sdxl:lora:civitai:1@99999999999999999999', undefined],
])('an AIR alone: %s', async (air, id) => {
  beside('.civitai.info', { air });
  expect((await published())?.version.modelVersionId).toBe(id);
});

test('one that is damaged does not hide the other; alone it is told', async () => {
  beside('.civitai.info', '{"id": 8715');
  await expect(published()).rejects.toThrow(/expected what Civitai says of a model version, got no JSON/);
  beside('.metadata.json', { civitai: VERSION });
  expect((await published())?.version.modelVersionId).toBe(87153);
});

test.each([
  ['a text for an id', { id: '87153' }, 'another id'],
  ['a negative id', { id: -1 }, 'another id'],
  ['a list', [], 'something else'],
  ['a name as an object', { id: 1, model: { name: {} } }, 'another model.name'],
])('%s', async (_, content, got) => {
  beside('.civitai.info', content);
  await expect(published()).rejects.toThrow(got);
});

test('one of more than 8 MiB is not read', async () => {
  beside('.civitai.info', `{"id": 1, "x": "${'x'.repeat(8 * 1024 * 1024)}"}`);
  await expect(published()).rejects.toThrow('expected at most 8388608 bytes');
});

test('one that is a link out of the model folders is not followed', async () => {
  writeFileSync(join(top, 'elsewhere.json'), JSON.stringify(VERSION));
  symlinkSync(join(top, 'elsewhere.json'), join(loras, 'glow v1.2.civitai.info'));
  expect(await published()).toBeUndefined();
});

test('whatever JSON it is, the answer is a version or one clear error', async () => {
  const odd = fc.oneof(
    fc.json(),
    fc
      .record(
        {
          id: fc.oneof(fc.integer(), fc.string(), fc.double()),
          air: fc.string(),
          name: fc.oneof(fc.string(), fc.integer()),
          model: fc.oneof(fc.record({ name: fc.string() }), fc.integer()),
          civitai: fc.oneof(fc.constant(VERSION), fc.anything()),
        },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value) ?? 'null'),
  );
  await fc.assert(
    fc.asyncProperty(odd, async (text) => {
      beside('.metadata.json', text);
      beside('.civitai.info', text);
      try {
        const found = await published();
        if (found) expect(found.version.modelVersionId).toBeGreaterThan(0);
      } catch (error) {
        expect(isLineageError(error, 'file/unreadable')).toBe(true);
      }
    }),
    { numRuns: 150 },
  );
});
