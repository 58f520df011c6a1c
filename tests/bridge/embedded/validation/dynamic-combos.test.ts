import { describe, expect, test } from 'vitest';
import { callForEach, valueOfCall } from '../../../../bridge/embedded/execution/call-node.ts';
import { gatherInputs } from '../../../../bridge/embedded/execution/gather-inputs.ts';
import { createShapes } from '../../../../bridge/embedded/execution/node-shape.ts';
import { liveInputs } from '../../../../bridge/embedded/nodes/live-inputs.ts';
import { describeNode } from '../../../../bridge/embedded/nodes/object-info.ts';
import { validatePrompt } from '../../../../bridge/embedded/validation/validate-prompt.ts';
import { type Json, parseExactJson } from '../../../../nodes/kit/exact-json.ts';
import { choice, dynamicChoice, integer, number, text, toggle } from '../../../../nodes/kit/fields.ts';
import { defineGraphNode, type GraphNode } from '../../../../nodes/kit/graph-node.ts';
import { type InputSpec, toInputSpec } from '../../../../nodes/kit/input-spec.ts';
import { isRecord } from '../../../../nodes/kit/is-record.ts';
import { readText } from '../../../house/sources.ts';

/** What peers/record_dynamic_combos.py saw a real ComfyUI 0.8.0 do. */
const recorded = JSON.parse(readText('fixtures/comfy-api/dynamic-combos.json'));

type Case = {
  readonly inputs: Readonly<Record<string, Json>>;
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly errors: readonly { readonly extra_info: Readonly<Record<string, unknown>> }[];
  readonly coerced: object;
  readonly given?: object;
};
const cases: readonly (readonly [string, Case])[] = Object.entries(recorded.cases);

type Declared = Readonly<Record<string, readonly [InputSpec['type'], InputSpec['options']?]>>;

const specsOf = (declared: Declared): Record<string, InputSpec> =>
  Object.fromEntries(
    Object.entries(declared).map(([name, [type, options = {}]]) => [name, { type, options }]),
  );

const common = { category: 'probe', description: '', run: () => ({}) } as const;
const probe: GraphNode & { readonly pythonModule: string } = {
  ...defineGraphNode({
    ...common,
    id: 'ProbeDynamic',
    title: 'Probe',
    required: specsOf(recorded.input.required),
    optional: specsOf(recorded.input.optional),
    hidden: { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO' },
    outputs: [],
    terminal: true,
  }),
  pythonModule: 'custom_nodes.probe',
};
const source = {
  ...defineGraphNode({
    ...{ ...common, id: 'ProbeNumber', title: 'Number', required: {} },
    outputs: ['FLOAT', 'STRING'].map((type) => ({ type, name: type })),
  }),
  pythonModule: 'custom_nodes.probe',
};
const nodes = new Map([probe, source].map((node) => [node.id, node]));

/** As a client posts it: with numbers as they are spelt. */
const promptOf = (inputs: object): unknown =>
  parseExactJson(
    JSON.stringify({
      '1': { class_type: 'ProbeDynamic', inputs },
      '2': { class_type: 'ProbeNumber', inputs: {} },
    }),
    () => {},
  );

const validate = (inputs: object) => validatePrompt({ prompt: promptOf(inputs), nodes });

/** Without what is None there and absent here; 1.0 is 1 to everyone. */
function plain(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== null && each !== undefined);
  return Object.fromEntries(entries.map(([name, each]) => [name, plain(each)]));
}

const byName = (errors: Case['errors']): unknown[] =>
  errors
    .map(({ extra_info, ...error }) => {
      // How an input is declared is compared by itself.
      const { input_config: _, ...extra } = extra_info;
      return JSON.stringify(JSON.parse(JSON.stringify({ ...error, extra_info: extra })), sorted);
    })
    .toSorted();

/** Keys in one order. */
const sorted = (_: string, value: unknown): unknown =>
  isRecord(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;

describe('dynamic combos: real ComfyUI 0.8 and we do alike', () => {
  test('the inputs are listed as they are there', () => {
    expect(JSON.parse(JSON.stringify(describeNode(probe)))['input']).toEqual({
      ...recorded.input,
      hidden: { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO' },
    });
  });

  test.each(cases)('%s', async (_, { inputs, required, optional, errors, coerced, given }) => {
    const live = liveInputs(probe, inputs);
    expect(Object.keys(live.required).toSorted()).toEqual(required.toSorted());
    expect(Object.keys(live.optional).toSorted()).toEqual(optional.toSorted());

    const checked = await validate(inputs);
    expect(byName((checked.nodeErrors['1']?.errors ?? []) as Case['errors'])).toEqual(byName(errors));
    expect(checked.ok).toBe(given !== undefined);
    if (!checked.ok) return;
    const node = checked.prompt['1'];
    if (!node) throw new Error('the node is there');
    expect(JSON.parse(JSON.stringify(node.inputs))).toEqual(coerced);

    // As the executor calls it; the source behind the links has run.
    const shape = createShapes(nodes)('ProbeDynamic');
    const gathered = gatherInputs(
      node,
      shape,
      (__, slot) => [[0.25], ['plain']][slot],
      () => undefined,
    );
    const calls = await callForEach(gathered, {
      takesLists: false,
      before: () => {},
      blocked: () => undefined,
      call: (ofCall) => ({ ofCall }),
    });
    const [call] = calls.map(valueOfCall);
    const { prompt: __, extra_pnginfo: ___, ...seen } = { ...call?.ofCall };
    expect(plain(JSON.parse(JSON.stringify(seen)))).toEqual(plain(given));
  });
});

const tooltip = 'How.';
const field = dynamicChoice(
  {
    plain: {},
    mixed: {
      share: number({ default: 0.5, min: 0, max: 1, step: 0.01, optional: true, tooltip: 'How much.' }),
      rounds: integer({ default: 3, min: 1, max: 9, tooltip: 'How often.' }),
      loud: toggle({ default: true, optional: true, tooltip: 'How loud.' }),
      order: choice(['up', 'down'], { default: 'up', optional: true, tooltip: 'Which way.' }),
      note: text({ default: '', optional: true, tooltip: 'A word.' }),
    },
  },
  { tooltip },
);

test('a field is declared as the classes of ComfyUI declare the same', () => {
  const [type, options] = JSON.parse(JSON.stringify(recorded.input.optional.also), (name, value) =>
    // What every menu is that says nothing else.
    name === 'multiselect' ? undefined : value,
  );
  expect(toInputSpec(field)).toEqual({ type, options: { ...options, tooltip } });
});

test('a validator is given what a run would get', async () => {
  const asked: unknown[] = [];
  const check = (inputs: unknown): true => {
    asked.push(inputs);
    return true;
  };
  const validated: typeof probe = { ...probe, validate: { inputs: 'all', check } };
  const prompt = promptOf({ way: 'mixed', 'way.rounds': 2, 'way.share': ['2', 0], count: 1 });
  const table = new Map([...nodes, [validated.id, validated]]);
  expect((await validatePrompt({ prompt, nodes: table })).ok).toBe(true);
  // Links are not known yet.
  expect(asked).toMatchObject([{ way: { way: 'mixed', rounds: 2, share: undefined }, count: 1 }]);
});
