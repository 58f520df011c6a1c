import { describe, expect, test } from 'vitest';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { renderParameters } from '../../nodes/metadata/infotext.ts';
import { learn } from '../../nodes/metadata/learn.ts';
import { createRuleBook } from '../../nodes/metadata/rule-book.ts';
import { type WriteUpOptions, writeUp } from '../../nodes/metadata/write-up.ts';
import { rulePacks } from '../../rules/index.gen.ts';

const PASSES_THROUGH = {
  1: { class_type: 'LoadImage', inputs: { image: 'found.png' } },
  2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
};
const options = { select: 'range', maxSamplers: 4 } as const;

function write(more: WriteUpOptions) {
  const graph = parsePromptGraph(PASSES_THROUGH, () => {});
  const learnt = learn(graph, '2', createRuleBook(rulePacks), options, () => {});
  return writeUp(learnt, new Map(), more, () => {});
}

describe('writeUp of a picture that only passes through', () => {
  const graphs = { prompt: { own: 'graph' }, workflow: { own: 'workflow' } };
  const source = { parameters: 'x\nNegative prompt: y\nSteps: 3, Version: ComfyUI', prompt: '{"its":1}' };

  test('what the source says wins; what it lacks comes from this graph', () => {
    const { metadata, record } = write({ source, graphs });
    expect(renderParameters(metadata.parameters)).toBe(source.parameters);
    expect(metadata.prompt).toBe('{"its":1}');
    expect(metadata.workflow).toBe('{"own":"workflow"}');
    expect(JSON.parse(metadata.record)).toMatchObject({ saveNode: '2' });
    expect(record.saveNode).toBe('2');
  });

  test('keys of the user are added, before Version, and win over the same key of the source', () => {
    const { metadata } = write({ source, extra: new Map([['My key', 'hello']]) });
    expect(renderParameters(metadata.parameters)).toBe(
      'x\nNegative prompt: y\nSteps: 3, My key: hello, Version: ComfyUI',
    );
    const before = { parameters: source.parameters.replace('Steps: 3', 'Steps: 3, My key: old') };
    const again = write({ source: before, extra: new Map([['My key', 'new']]) });
    expect(renderParameters(again.metadata.parameters)).toContain('Steps: 3, My key: new, Version');
  });

  test('a record of ours is taken over and given back; anything else is not', () => {
    const first = write({ source: {}, graphs }).metadata.record;
    const other = first.replace('"saveNode":"2"', '"saveNode":"77"');
    const taken = write({ source: { record: other } });
    expect(taken.record.saveNode).toBe('77');
    expect(taken.metadata.record).toBe(other);
    expect(write({ source: { record: '{"foreign":1}' } }).record.saveNode).toBe('2');
  });

  test('without graphs, none of either', () => {
    const { metadata } = write({ source: { prompt: 'p', workflow: 'w' } });
    expect(metadata).not.toHaveProperty('prompt');
    expect(metadata).not.toHaveProperty('workflow');
  });
});

describe('what passes through', () => {
  const load = { class_type: 'LoadImage', inputs: { image: 'cat.png' } };
  const save = (from: string) => ({
    class_type: 'SaveImage',
    inputs: { images: [from, 0], filename_prefix: 'x' },
  });
  const sourceOf = (nodes: Readonly<Record<string, unknown>>) =>
    learn(
      parsePromptGraph(nodes, () => {}),
      'save',
      createRuleBook(rulePacks),
      options,
      () => {},
    ).picture.source;

  test('a loaded picture, also scaled', () => {
    expect(sourceOf({ 1: load, save: save('1') })?.image).toBe('cat.png');
    const scale = {
      class_type: 'ImageScaleBy',
      inputs: { image: ['1', 0], upscale_method: 'area', scale_by: 2 },
    };
    expect(sourceOf({ 1: load, 2: scale, save: save('2') })?.image).toBe('cat.png');
  });

  test('not what a node that nobody knows may have sampled', () => {
    const encode = { class_type: 'VAEEncode', inputs: { pixels: ['1', 0], vae: ['9', 2] } };
    const sample = { class_type: 'Some Sampler', inputs: { latent_image: ['2', 0], positive: ['8', 0] } };
    const decode = { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['9', 2] } };
    expect(sourceOf({ 1: load, 2: encode, 3: sample, 4: decode, save: save('4') })).toBeUndefined();
    const detail = { class_type: 'Some Detailer', inputs: { image: ['1', 0] } };
    expect(sourceOf({ 1: load, 2: detail, save: save('2') })).toBeUndefined();
  });

  test('not one of two pictures that meet', () => {
    const blend = {
      class_type: 'ImageBlend',
      inputs: { image1: ['1', 0], image2: ['2', 0], blend_factor: 0.5 },
    };
    const other = { class_type: 'LoadImage', inputs: { image: 'dog.png' } };
    expect(sourceOf({ 1: load, 2: other, 3: blend, save: save('3') })).toBeUndefined();
  });
});
