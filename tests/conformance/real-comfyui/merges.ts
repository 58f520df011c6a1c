import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { toInputSpec } from '../../../nodes/kit/input-spec.ts';
import merge from '../../../nodes/merge/graph/merge.node.ts';
import { type Graph, node } from '../golden/graphs.ts';
import { checkPicture } from './check-picture.ts';
import type { Driver } from './drive.ts';
import { CFG, NEGATIVE, POSITIVE, SAVE, SIDE } from './graphs.ts';
import { type Check, savedBy } from './pictures.ts';

/** Files of `make_tiny_sd3.py`. */
const PARENTS = ['tiny-one.safetensors', 'tiny-two.safetensors'] as const;
const SEED = 21;
type Link = readonly [string, number];

/** A picture of a loaded checkpoint, sampled as every graph here. */
function sampled(loader: string, prefix: string): Record<string, Graph> {
  const [model, clip, vae]: readonly Link[] = [
    [loader, 0],
    [loader, 1],
    [loader, 2],
  ];
  return {
    '13': node('CLIPTextEncode', { text: POSITIVE, clip }),
    '14': node('CLIPTextEncode', { text: NEGATIVE, clip }),
    '15': node('EmptySD3LatentImage', { width: SIDE, height: SIDE, batch_size: 1 }),
    '16': node('KSampler', {
      ...{ seed: SEED, steps: 4, cfg: CFG, denoise: 1, sampler_name: 'euler', scheduler: 'simple', model },
      ...{ positive: ['13', 0], negative: ['14', 0], latent_image: ['15', 0] },
    }),
    '17': node('VAEDecode', { samples: ['16', 0], vae }),
    [SAVE]: node('LineageSaveImage', {
      ...{
        images: ['17', 0],
        filename_prefix: prefix,
        file_format: 'png',
        sampler_selection_method: 'range',
      },
    }),
  };
}

/** A quarter of the second parent, said by the widget of the method or by the line of parameters. */
const BY_WIDGET: Graph = { method: 'weighted-sum', 'method.alpha': 0.25, params: '' };
const BY_LINE: Graph = { method: 'weighted-sum', params: 'alpha=0.25' };

/** The nodes of a merge, with the report on it. */
function merging(said: Graph): Record<string, Graph> {
  return {
    '1': node('LineageMergeSource', { model_name: PARENTS[0] }),
    '2': node('LineageMergeSource', { model_name: PARENTS[1] }),
    '3': node('LineageMerge', {
      ...{ ...said, weights: '', model1: ['1', 0], model2: ['2', 0] },
    }),
    '4': node('LineageRunPipeline', { output_name: 'tiny-child', precision: 'as written', merge: ['3', 0] }),
    '5': node('LineageMergeReport', { report: ['4', 4] }),
  };
}

function merged(prefix: string): Record<string, Graph> {
  return { ...merging(BY_WIDGET), ...sampled('4', prefix) };
}

async function pictureOf(driver: Driver, base: string, graph: Record<string, Graph>): Promise<string> {
  const [file] = savedBy(await driver.run(graph), base);
  assert(file, 'a file was saved');
  return file;
}

async function pixelsOf(file: string): Promise<Buffer> {
  return await sharp(file).raw().toBuffer();
}

/** Merging inside real ComfyUI. */
export const MERGE_CHECKS: readonly Check[] = [
  {
    name: 'merge of two checkpoints, loaded by ComfyUI, sampled and named in the picture',
    async run(driver, base) {
      const run = await driver.run(merged('merged'));
      const [file] = savedBy(run, base);
      assert(file, 'a file was saved');
      assert.match(
        String(run.outputs['5']?.['text']?.[0]),
        /^tiny-child\.safetensors.*\nmerge_3 \(merge\): made/,
      );

      const child = join(base, 'output', 'checkpoints', 'tiny-child.safetensors');
      const hash = createHash('sha256').update(readFileSync(child)).digest('hex').slice(0, 10);
      await checkPicture(file, { 'Model hash': hash, Model: 'tiny-child', Seed: SEED, Steps: 4 });

      // ComfyUI's own loader gives the same picture from the same file; a parent gives another one.
      const loaded = (ckpt_name: string, prefix: string) => ({
        '4': node('CheckpointLoaderSimple', { ckpt_name }),
        ...sampled('4', prefix),
      });
      const own = await pixelsOf(file);
      const again = await pictureOf(driver, base, loaded('tiny-child.safetensors', 'loaded'));
      assert.equal(Buffer.compare(await pixelsOf(again), own), 0, 'the loaded file gives the same pixels');
      const parent = await pictureOf(driver, base, loaded(PARENTS[0], 'parent'));
      assert.notEqual(Buffer.compare(await pixelsOf(parent), own), 0, 'a parent gives other pixels');
    },
  },
  {
    name: 'merge parameters by widget, by link and by the line; listed and refused as ComfyUI does',
    async run(driver) {
      const reportOf = async (said: Graph, more: Record<string, Graph> = {}): Promise<string> => {
        const { outputs } = await driver.run({ ...merging(said), ...more });
        return String(outputs['5']?.['text']?.[0]);
      };
      const byWidget = await reportOf(BY_WIDGET);
      const [name] = byWidget.split(',');
      assert.match(byWidget, /^tiny-child/);
      assert((await reportOf(BY_LINE)).startsWith(`${name},`), 'the line makes the same file');
      const number = node('PrimitiveFloat', { value: 0.25 });
      const linked = await reportOf({ ...BY_WIDGET, 'method.alpha': ['6', 0] }, { '6': number });
      assert(linked.startsWith(`${name},`), 'a linked number makes the same file');
      const other = await reportOf({ ...BY_WIDGET, 'method.alpha': 0.75 });
      assert(!other.startsWith(`${name},`), 'another number makes another file');

      const listed = await fetch(`${driver.url}/object_info/LineageMerge`);
      const { input } = JSON.parse(await listed.text()).LineageMerge;
      const { type, options } = toInputSpec(merge.inputs.method);
      assert.deepEqual(input.required.method, JSON.parse(JSON.stringify([type, options])));

      const refused = await fetch(`${driver.url}/prompt`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ prompt: merging({ ...BY_WIDGET, 'method.alpha': 1.5 }) }),
      });
      const [error] = JSON.parse(await refused.text()).node_errors['3'].errors;
      assert.deepEqual([error.type, error.details], ['value_bigger_than_max', 'method.alpha']);
    },
  },
];
