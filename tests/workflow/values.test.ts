import { describe, expect, test } from 'vitest';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { convertWorkflow } from '../../nodes/workflow/convert-workflow.ts';
import { type NodeDefinitions, parseNodeDefinitions } from '../../nodes/workflow/node-definitions.ts';
import { caseDefinitions } from './cases.ts';

const definitions = caseDefinitions();

/** The prompt, and codes of warnings with their places. */
function convert(workflow: object, classes: NodeDefinitions = definitions) {
  const { warn, list } = createWarningLog();
  const prompt = convertWorkflow({ links: [], ...workflow }, classes, { texts: 'as-edited' }, warn);
  return { prompt, warnings: list.map(({ code, where }) => `${code} ${where}`) };
}

/** The inputs of a single node. */
function inputsOf(type: string, widgets_values: unknown, classes?: NodeDefinitions, more: object = {}) {
  const { prompt, warnings } = convert({ nodes: [{ id: 1, type, widgets_values, ...more }] }, classes);
  return { inputs: prompt['1']?.inputs, warnings };
}

const SAMPLER = { seed: 3, steps: 20, cfg: 8, sampler_name: 'euler', scheduler: 'normal', denoise: 1 };

describe('lists of values', () => {
  test.each([
    ['with a switch for the seed', [3, true, 20, 8, 'euler', 'normal', 1]],
    ['from before there was a control', [3, 20, 8, 'euler', 'normal', 1]],
    ['with a control that was never set', [3, null, 20, 8, 'euler', 'normal', 1]],
  ])('%s', (_, values) => {
    expect(inputsOf('KSampler', values)).toEqual({ inputs: SAMPLER, warnings: [] });
  });

  test('that are too short get defaults, and that is told', () => {
    const { inputs, warnings } = inputsOf('KSampler', [3, 'fixed', 20]);
    // The defaults that ComfyUI 0.8 declares.
    expect(inputs).toEqual({
      ...{ seed: 3, steps: 20, cfg: 8, sampler_name: 'euler', scheduler: 'simple', denoise: 1 },
    });
    expect(warnings).toEqual(['workflow/default 1']);
  });

  test('that are too long, and values of another type, are told', () => {
    expect(inputsOf('EmptyLatentImage', [1, 2, 3, 4, 'five'])).toEqual({
      inputs: { width: 1, height: 2, batch_size: 3 },
      warnings: ['workflow/value 1'],
    });
    expect(inputsOf('EmptyLatentImage', ['wide', 2, 3]).warnings).toEqual(['workflow/value 1.width']);
  });

  test('of a class that nobody knows go by the widgets that the file names, if they fit', () => {
    const named = (...names: string[]) => ({ inputs: names.map((name) => ({ name, widget: { name } })) });
    expect(inputsOf('Foreign', [1, 'fixed', 'x'], undefined, named('seed', 'text')).inputs).toEqual({
      ...{ seed: 1, text: 'x' },
    });
    const lost = inputsOf('Foreign', [1, 'fixed', 'x', 9], undefined, named('seed', 'text'));
    expect(lost).toEqual({ inputs: {}, warnings: ['workflow/unknown-class 1', 'workflow/unknown-class 1'] });
  });
});

describe('choices', () => {
  const classes = parseNodeDefinitions({
    Pick: { input: { required: { name: [['sub/a.safetensors', 'euler', 5], {}] } }, output: [] },
  });
  test.each([
    ['sub\\a.safetensors', 'sub/a.safetensors'],
    ['sample_euler', 'euler'],
  ])('%s is spelt as the server does', (value, expected) => {
    expect(inputsOf('Pick', [value], classes)).toEqual({
      inputs: { name: expected },
      warnings: ['workflow/spelling 1.name'],
    });
  });

  test('that the server does not offer stay as they are', () => {
    expect(inputsOf('Pick', ['gone.safetensors'], classes)).toEqual({
      inputs: { name: 'gone.safetensors' },
      warnings: [],
    });
  });
});

describe('values of other things than inputs', () => {
  test('that of an upload button stands behind the required inputs', () => {
    const classes = parseNodeDefinitions({
      Load: {
        input: {
          required: { image: [['a.png'], { image_upload: true }] },
          optional: { channel: [['red', 'green'], {}] },
        },
        output: [],
      },
    });
    const inputs = { image: 'a.png', channel: 'green' };
    expect(inputsOf('Load', ['a.png', 'image', 'green'], classes)).toEqual({ inputs, warnings: [] });
    expect(inputsOf('Load', ['a.png', 'green'], classes)).toEqual({ inputs, warnings: [] });
  });

  test('those of the switch and the button of a menu that the server fills', () => {
    expect(inputsOf('LoadImageOutput', ['a.png [output]', false, 'refresh', 'image'])).toEqual({
      inputs: { image: 'a.png [output]' },
      warnings: [],
    });
  });

  test('an input that scripts of its pack added to a known class keeps its link', () => {
    const { prompt } = convert({
      nodes: [
        { id: 1, type: 'EmptyImage', widgets_values: [1, 2, 3, 4] },
        { id: 2, type: 'PreviewImage', inputs: [{ name: 'more', type: 'IMAGE', link: 1 }] },
      ],
      links: [[1, 1, 0, 2, 0, 'IMAGE']],
    });
    expect(prompt['2']?.inputs).toEqual({ more: ['1', 0] });
  });
});

describe('bypassed nodes', () => {
  const slots = (...types: string[]) => types.map((type, at) => ({ name: `${type} ${at}`, type }));
  /** Three sources, a bypassed node of an unknown class that takes all of them, and one that shows an output of it. */
  const bypass = (outputs: string[], slot: number, asks: string, between: object[] = []) =>
    convert({
      nodes: [
        ...[1, 2, 3].map((id) => ({ id, type: 'Source', outputs: slots('A', 'B') })),
        {
          ...{ id: 4, type: 'Middle', mode: 4, outputs: slots(...outputs) },
          inputs: slots('A', 'B', 'B').map((input, at) => ({ ...input, link: at + 1 })),
        },
        { id: 5, type: 'Show', inputs: [{ name: 'it', type: asks, link: between.length > 0 ? 5 : 4 }] },
        ...between,
      ],
      links: [
        [1, 1, 0, 4, 0, 'A'],
        [2, 2, 1, 4, 1, 'B'],
        [3, 3, 1, 4, 2, 'B'],
        [4, 4, slot, between.length > 0 ? 6 : 5, 0, asks],
        [5, 6, 0, 5, 0, asks],
      ],
    }).prompt['5']?.inputs;

  test.each([
    ['of any type: the same place', ['A', 'B', 'B'], 2, '*', ['3', 1]],
    ['of any type and no such place: the first', ['A', 'A', 'A', 'A'], 3, '*', ['1', 0]],
    ['of the same type in the same place', ['B', 'A', 'B'], 2, 'B', ['3', 1]],
    ['of the same type elsewhere: the first', ['B'], 0, 'B', ['2', 1]],
    ['of several types: the first that fits', ['B'], 0, 'C,B', ['2', 1]],
  ] as const)('%s', (_, outputs, slot, asks, expected) => {
    expect(bypass([...outputs], slot, asks)).toEqual({ it: expected });
  });

  test('behind a reroute go by what is asked there', () => {
    const reroute = {
      id: 6,
      type: 'Reroute',
      inputs: [{ name: '', type: '*', link: 4 }],
      outputs: slots('*'),
    };
    expect(bypass(['B'], 0, 'B', [reroute])).toEqual({ it: ['2', 1] });
  });
});

const [OUTER, INNER] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];

describe('subgraphs', () => {
  test('an output that an input of the instance feeds directly', () => {
    const through = {
      ...{
        id: OUTER,
        nodes: [],
        links: [{ id: 1, origin_id: -10, origin_slot: 0, target_id: -20, target_slot: 0 }],
      },
      inputs: [{ name: 'in', type: 'IMAGE', linkIds: [1] }],
      outputs: [{ name: 'out', type: 'IMAGE', linkIds: [1] }],
    };
    const { prompt, warnings } = convert({
      definitions: { subgraphs: [through] },
      nodes: [
        {
          id: 1,
          type: 'EmptyImage',
          widgets_values: [1, 2, 3, 4],
          outputs: [{ name: 'IMAGE', type: 'IMAGE' }],
        },
        { id: 2, type: OUTER, inputs: [{ name: 'in', type: 'IMAGE', link: 1 }] },
        { id: 3, type: 'PreviewImage', inputs: [{ name: 'images', type: 'IMAGE', link: 2 }] },
      ],
      links: [
        [1, 1, 0, 2, 0, 'IMAGE'],
        [2, 2, 0, 3, 0, 'IMAGE'],
      ],
    });
    expect(prompt['3']?.inputs).toEqual({ images: ['1', 0] });
    expect(warnings).toEqual([]);
  });

  test.each([
    ['one for each slot', [99, 7]],
    ['with one for the control of the seed', [99, 'fixed', 7]],
  ])('values of an instance by position, %s', (_, widgets_values) => {
    const sampler = {
      ...{ id: 5, type: 'KSampler', widgets_values: [1, 'fixed', 20, 8, 'euler', 'normal', 1] },
      inputs: [
        { name: 'seed', type: 'INT', link: 1, widget: { name: 'seed' } },
        { name: 'steps', type: 'INT', link: 2, widget: { name: 'steps' } },
      ],
    };
    const within = {
      ...{ id: OUTER, nodes: [sampler], outputs: [] },
      inputs: [
        { name: 'seed', type: 'INT', linkIds: [1] },
        { name: 'steps', type: 'INT', linkIds: [2] },
      ],
      links: [
        { id: 1, origin_id: -10, origin_slot: 0, target_id: 5, target_slot: 0 },
        { id: 2, origin_id: -10, origin_slot: 1, target_id: 5, target_slot: 1 },
      ],
    };
    const { prompt, warnings } = convert({
      definitions: { subgraphs: [within] },
      nodes: [{ id: 2, type: OUTER, widgets_values }],
    });
    expect(prompt['2:5']?.inputs).toEqual({ ...SAMPLER, seed: 99, steps: 7 });
    expect(warnings).toEqual([]);
  });

  test('an instance shows a widget two levels down', () => {
    const leaf = { id: 7, type: 'EmptyImage', widgets_values: [1, 2, 3, 4] };
    const inner = { id: INNER, nodes: [leaf], links: [], inputs: [], outputs: [] };
    const outer = { id: OUTER, nodes: [{ id: 5, type: INNER }], links: [], inputs: [], outputs: [] };
    const instance = {
      ...{ id: 2, type: OUTER, widgets_values: [640] },
      properties: { proxyWidgets: [['5', '7: width']] },
    };
    const { prompt } = convert({ definitions: { subgraphs: [outer, inner] }, nodes: [instance] });
    expect(prompt).toMatchObject({ '2:5:7': { inputs: { width: 640, height: 2, batch_size: 3, color: 4 } } });
  });

  test('a Get node takes the nearest Set node of its name', () => {
    const set = (id: number, link: number) => ({
      ...{ id, type: 'SetNode', widgets_values: ['x'] },
      inputs: [{ name: 'IMAGE', type: 'IMAGE', link }],
      outputs: [{ name: '*', type: '*' }],
    });
    const image = (id: number) => ({ id, type: 'EmptyImage', outputs: [{ name: 'IMAGE', type: 'IMAGE' }] });
    const get = {
      id: 12,
      type: 'GetNode',
      widgets_values: ['x'],
      outputs: [{ name: 'IMAGE', type: 'IMAGE' }],
    };
    const show = { id: 13, type: 'PreviewImage', inputs: [{ name: 'images', type: 'IMAGE', link: 2 }] };
    const links = [
      [1, 10, 0, 11, 0, 'IMAGE'],
      [2, 12, 0, 13, 0, 'IMAGE'],
    ];
    const within = { id: OUTER, inputs: [], outputs: [], nodes: [image(10), set(11, 1), get, show], links };
    const { prompt } = convert({
      definitions: { subgraphs: [within] },
      nodes: [image(1), set(2, 9), { id: 3, type: OUTER }],
      links: [[9, 1, 0, 2, 0, 'IMAGE']],
    });
    expect(prompt['3:13']?.inputs).toEqual({ images: ['3:10', 0] });
  });
});

describe('group nodes', () => {
  test('hidden inputs and outputs have no slot outside', () => {
    const group = {
      nodes: [{ type: 'ImageBatch' }, { type: 'EmptyLatentImage' }, { type: 'LoadImage' }],
      links: [[2, 0, 0, 1, 9, 'IMAGE']],
      config: { 0: { input: { image1: { visible: false } } }, 1: { output: { 0: { visible: false } } } },
      external: [[2, 0, 'IMAGE']],
    };
    // What is left outside: no input of the batch, its output, then picture and mask.
    const { prompt, warnings } = convert({
      extra: { groupNodes: { G: group } },
      nodes: [
        { id: 1, type: 'workflow>G', widgets_values: [64, 32, 1, 'a.png'] },
        { id: 2, type: 'PreviewImage', inputs: [{ name: 'images', type: 'IMAGE', link: 1 }] },
        { id: 3, type: 'MaskPreview', inputs: [{ name: 'mask', type: 'MASK', link: 2 }] },
      ],
      links: [
        [1, 1, 1, 2, 0, 'IMAGE'],
        [2, 1, 2, 3, 0, 'MASK'],
      ],
    });
    expect(prompt['1:0']?.inputs).toEqual({ image2: ['1:2', 0] });
    expect(prompt['1:1']?.inputs).toEqual({ width: 64, height: 32, batch_size: 1 });
    expect(prompt['2']?.inputs).toEqual({ images: ['1:2', 0] });
    expect(prompt['3']?.inputs).toMatchObject({ mask: ['1:2', 1] });
    expect(warnings.filter((each) => !each.includes('/default'))).toEqual([]);
  });

  test('an input that is hidden takes no slot from the next', () => {
    const group = {
      nodes: [{ type: 'ImageBatch' }],
      links: [],
      config: { 0: { input: { image1: { visible: false } } } },
    };
    const { prompt } = convert({
      extra: { groupNodes: { G: group } },
      nodes: [
        { id: 1, type: 'workflow/G', inputs: [{ name: 'image2', type: 'IMAGE', link: 1 }] },
        { id: 2, type: 'EmptyImage', widgets_values: [1, 2, 3, 4] },
      ],
      links: [[1, 2, 0, 1, 0, 'IMAGE']],
    });
    expect(prompt['1:0']?.inputs).toEqual({ image2: ['2', 0] });
  });
});

describe('what is no workflow', () => {
  test.each([null, 5, 'text', [], {}, { nodes: 3 }])('%j', (input) => {
    const attempt = (): unknown => convertWorkflow(input, definitions, { texts: 'as-edited' }, () => {});
    expect(attempt).toThrow(expect.objectContaining({ code: 'workflow/malformed' }));
  });

  test.each([null, [], {}, { KSampler: 5 }, { KSampler: { output: [] } }])(
    '%j is no object info',
    (input) => {
      let thrown: unknown;
      try {
        parseNodeDefinitions(input);
      } catch (error) {
        thrown = error;
      }
      expect(isLineageError(thrown, 'workflow/object-info')).toBe(true);
    },
  );
});
