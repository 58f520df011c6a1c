import { type Graph, node, picture, saved } from './graphs.ts';
import type { Stage } from './stage.ts';

const save = (images: unknown, prefix: unknown = 'golden'): Graph =>
  node('SaveImage', { images, filename_prefix: prefix });
const image = (more: Readonly<Record<string, unknown>>): Graph =>
  node('EmptyImage', { width: 8, height: 8, batch_size: 1, color: 0, ...more });
const without = (graph: Graph, name: string): Graph => {
  const { [name]: _gone, ...inputs } = graph['inputs'] as Graph;
  return { ...graph, inputs };
};

/** Prompts that validation refuses: one for every error type of reference 2.2, and its edge cases. */
const REFUSED: Readonly<Record<string, unknown>> = {
  'no prompt': {},
  'a list for a body': [],
  'an empty graph': { prompt: {} },
  'no output node': { prompt: { '1': picture(1) } },
  'no target among the outputs': { prompt: saved(1), partial_execution_targets: [] },
  'a target that is no output': { prompt: saved(1), partial_execution_targets: ['1'] },
  'no class type': { prompt: { ...saved(1), '3': { inputs: {} } } },
  'no class type, with a title': { prompt: { ...saved(1), '3': { inputs: {}, _meta: { title: 'Mine' } } } },
  'an unknown class': { prompt: { ...saved(1), '3': node('NoSuchNode', {}) } },
  'an unknown class, with a title': {
    prompt: { ...saved(1), '3': { ...node('NoSuchNode', {}), _meta: { title: 'Mine' } } },
  },
  'a required input is missing': { prompt: { '1': picture(1), '2': without(save(['1', 0]), 'images') } },
  'a required input is missing upstream': {
    prompt: { '1': without(image({}), 'width'), '2': save(['1', 0]) },
  },
  'a link of one element': { prompt: { '1': picture(1), '2': save(['1']) } },
  'a link of three elements': { prompt: { '1': picture(1), '2': save(['1', 0, 0]) } },
  'a link of another type': {
    prompt: { '1': node('PrimitiveInt', { value: 1 }), '2': save(['1', 0]) },
  },
  'a word for an integer': { prompt: { '1': image({ width: 'wide' }), '2': save(['1', 0]) } },
  'a list for an integer': { prompt: { '1': image({ width: { __value__: [1] } }), '2': save(['1', 0]) } },
  'null for an integer': { prompt: { '1': image({ width: null }), '2': save(['1', 0]) } },
  'a word for a float': {
    prompt: {
      '1': picture(1),
      '2': node('ImageScaleBy', { image: ['1', 0], upscale_method: 'area', scale_by: 'x' }),
      '3': save(['2', 0]),
    },
  },
  'an integer below its least': { prompt: { '1': image({ width: 0 }), '2': save(['1', 0]) } },
  'an integer above its most': { prompt: { '1': image({ width: 1_000_000 }), '2': save(['1', 0]) } },
  'a float above its most': {
    prompt: {
      '1': picture(1),
      '2': node('ImageScaleBy', { image: ['1', 0], upscale_method: 'area', scale_by: 99.5 }),
      '3': save(['2', 0]),
    },
  },
  'a word that the menu lacks': {
    prompt: {
      '1': picture(1),
      '2': node('ImageScaleBy', { image: ['1', 0], upscale_method: 'magic', scale_by: 2 }),
      '3': save(['2', 0]),
    },
  },
  'a word that a long menu lacks': { prompt: { '1': node('GoldenMenu', { choice: 'none' }) } },
  'a picture that does not exist': {
    prompt: { '1': node('LoadImage', { image: 'absent.png' }), '2': save(['1', 0]) },
  },
  'a validator that says no': {
    prompt: { '1': node('TestCustomValidation2', { input1: 'foo', input2: 3.5 }), '2': save(['1', 0]) },
  },
  'a validator that refuses a type': {
    prompt: {
      '1': node('PrimitiveInt', { value: 1 }),
      '2': node('TestCustomValidation2', { input1: ['1', 0], input2: 3.5 }),
      '3': save(['2', 0]),
    },
  },
  'a validator of everything': {
    prompt: { '1': node('TestCustomValidation5', { input1: 9.5, input2: 7 }), '2': save(['1', 0]) },
  },
  'an async validator that says no': {
    prompt: { '1': node('TestAsyncValidationError', { value: 15.5, max_value: 10.5 }), '2': save(['1', 0]) },
  },
  'a link to a node that is not there': { prompt: { '1': save(['9', 0]) } },
  'a link to a slot that is not there': { prompt: { '1': picture(1), '2': save(['1', 7]) } },
  'a broken link one node up': {
    prompt: { '1': node('ImageInvert', { image: ['9', 0] }), '2': save(['1', 0]) },
  },
  'no inputs': { prompt: { '1': { class_type: 'SaveImage' } } },
  'a cycle': {
    prompt: {
      '1': node('ImageInvert', { image: ['2', 0] }),
      '2': node('ImageInvert', { image: ['1', 0] }),
      '3': save(['2', 0]),
    },
  },
  'a fault above two outputs': {
    prompt: {
      '1': image({ width: 0 }),
      '2': save(['1', 0]),
      '3': node('PreviewImage', { images: ['1', 0] }),
    },
  },
};

/** Plays every prompt that must be refused, and bodies that are no JSON. */
export async function playRefusedPrompts(stage: Stage): Promise<void> {
  for (const [name, json] of Object.entries(REFUSED)) {
    await stage.http(`POST /prompt: ${name}`, 'POST', '/prompt', { json });
  }
  const headers = { 'Content-Type': 'application/json' };
  await stage.http('POST /prompt: no JSON', 'POST', '/prompt', { body: '{', headers });
  await stage.http('POST /prompt: no body', 'POST', '/prompt', { headers });
  await stage.http('POST /prompt: a number of words', 'POST', '/prompt', {
    json: { number: 'x', prompt: saved(1) },
  });
  // A refused prompt moves the counter on (reference 2.2).
  const listener = await stage.listen('refused');
  const prompt_id = stage.nextPromptId();
  await stage.http('POST /prompt: after the refused ones', 'POST', '/prompt', {
    json: { prompt: saved(1), prompt_id, client_id: 'refused' },
  });
  await listener.untilDone(prompt_id);
  await listener.close();
}
