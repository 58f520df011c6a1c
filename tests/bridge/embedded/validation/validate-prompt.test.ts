import { performance } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import type { NodeTable } from '../../../../bridge/embedded/nodes/node-table.ts';
import { parsePromptBody } from '../../../../bridge/embedded/validation/parse-prompt.ts';
import { validatePrompt } from '../../../../bridge/embedded/validation/validate-prompt.ts';
import { isLineageError } from '../../../../nodes/kit/errors.ts';
import { ExactNumber, type Json, parseExactJson } from '../../../../nodes/kit/exact-json.ts';
import type { InputFiles } from '../../../../nodes/kit/graph-node.ts';
import { isRecord } from '../../../../nodes/kit/is-record.ts';
import { readText } from '../../../house/sources.ts';
import { validationNodes } from './validation-nodes.ts';

const nodes: NodeTable = new Map(
  validationNodes.map((node) => [node.id, { ...node, pythonModule: 'custom_nodes.probe' }]),
);

type Recorded = Readonly<Record<string, Json>>;

const recorded = parseExactJson(readText('fixtures/comfy-api/validation.json'), () => {});

/** Where we answer otherwise, and why. */
const DEVIATIONS: Readonly<Record<string, string>> = {
  'link ["2", -6]': 'slots are counted from the front in what is queued: the executor knows no others',
};

/** What `POST /prompt` answers, by the two functions that a server calls. */
async function answerTo(body: string): Promise<unknown> {
  const parsed = parsePromptBody(body);
  if (!parsed.ok) {
    return parsed.status === 400
      ? { status: 400, answer: { error: parsed.error, node_errors: {} } }
      : { status: parsed.status };
  }
  try {
    const { partialTargets: targets, prompt } = parsed;
    const checked = await validatePrompt({ prompt, nodes, errorStyle: 'v0.8', ...(targets && { targets }) });
    if (!checked.ok) {
      return { status: 400, answer: { error: checked.error, node_errors: checked.nodeErrors } };
    }
    return {
      status: 200,
      answer: {
        node_errors: checked.nodeErrors,
        ...(parsed.number !== undefined && { number: parsed.number }),
        ...(parsed.promptId !== undefined && { prompt_id: parsed.promptId }),
      },
      prompt: checked.prompt,
      extra_data: parsed.extraData,
      outputs: checked.outputs.toSorted(),
    };
  } catch (error) {
    if (isLineageError(error, 'prompt/malformed')) return { status: 500 };
    throw error;
  }
}

/**
 * JSON as text, numbers as they are spelt, keys sorted. Stacks are nobody's contract. Which of a node's errors comes
 * first, Python leaves open (inputs are a set there); so are the lines of the details made of them.
 */
function normalise(value: unknown): unknown {
  // Python writes Infinity, which is no JSON: such a number is told by the words of the error alone.
  if (value instanceof ExactNumber) return Number.isFinite(value.value) ? `#${value.text}` : null;
  if (typeof value === 'number') return `#${value}`;
  if (Array.isArray(value)) {
    const list = value.map(normalise);
    const isErrors = value.length > 1 && value.every((each) => isRecord(each) && 'extra_info' in each);
    return isErrors ? list.map((each) => JSON.stringify(each)).sort() : list;
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => {
        if (key === 'traceback') return [key, []];
        const each = value[key];
        // Outputs are a set there too.
        if (key === 'dependent_outputs' && Array.isArray(each)) return [key, each.toSorted()];
        // A priority is a float in Python; 7.0 and 7 are one to every client.
        if (key === 'number') return [key, Number(each)];
        if (key === 'details' && typeof each === 'string') return [key, each.split('\n').sort().join('\n')];
        return [key, normalise(each)];
      }),
  );
}

function isRecorded(value: unknown): value is Recorded {
  return isRecord(value);
}

describe('real ComfyUI 0.8 and we answer alike', () => {
  const cases = (Array.isArray(recorded) ? recorded : []).filter(isRecorded);

  test('every case was recorded', () => expect(cases.length).toBeGreaterThan(300));

  test.each(cases.map((each) => [String(each['name']), each] as const))('%s', async (name, each) => {
    const { name: _, body, ...expected } = each;
    // Through JSON, as it reaches a client.
    const ours = parseExactJson(JSON.stringify(await answerTo(String(body))), () => {});
    if (DEVIATIONS[name] !== undefined) expect(normalise(ours)).not.toEqual(normalise(expected));
    else expect(normalise(ours)).toEqual(normalise(expected));
  });
});

const check = (prompt: unknown, more: object = {}) => validatePrompt({ prompt, nodes, ...more });
const empty = { class_type: 'ProbeEmpty', inputs: {} };
const pass = (source: string) => ({ class_type: 'ProbePass', inputs: { image: [source, 0] } });
const needs = (source: string) => ({ class_type: 'ProbeRequired', inputs: { image: [source, 0], seed: 1 } });

describe('in the newest style', () => {
  test('an unknown class is missing_node_type', async () => {
    const node = { class_type: 'Missing', inputs: {}, _meta: { title: 'Mine' } };
    expect(await check({ 7: node })).toEqual({
      ok: false,
      error: {
        type: 'missing_node_type',
        message: "Node 'Mine' not found. The custom node may not be installed.",
        details: "Node ID '#7'",
        extra_info: { node_id: '7', class_type: 'Missing', node_title: 'Mine' },
      },
      nodeErrors: {},
    });
    expect(await check({ 7: { class_type: 'Missing' } })).toMatchObject({
      error: { extra_info: { node_title: 'Missing' } },
    });
  });

  test('so is a node without a class', async () => {
    expect(await check({ 7: { inputs: {} } })).toMatchObject({
      error: {
        type: 'missing_node_type',
        message: "Node 'ID #7' has no class_type. The workflow may be corrupted or a custom node is missing.",
        extra_info: { node_id: '7', class_type: null, node_title: null },
      },
    });
    expect(await check({ 7: { _meta: { title: 'Mine' } } })).toMatchObject({
      error: {
        message: expect.stringContaining("Node 'Mine' has no class_type."),
        extra_info: { node_title: 'Mine' },
      },
    });
    for (const _meta of [null, [], 'text', { title: null }]) {
      expect(await check({ 7: { _meta } })).toMatchObject({ error: { extra_info: { node_title: null } } });
    }
  });
});

describe('what is queued', () => {
  test('is a copy: the prompt stays as it came', async () => {
    const prompt = { 1: { class_type: 'ProbeKinds', inputs: { float: 8, any: { __value__: [1] } } } };
    const before = structuredClone(prompt);
    const checked = await check(prompt);
    expect(prompt).toEqual(before);
    expect(JSON.stringify(checked)).toContain('"inputs":{"float":8.0,"any":[1]}');
  });

  test('has inputs on every node, also where nobody needed them', async () => {
    expect(await check({ 1: empty, 2: { class_type: 'ProbePass' } })).toMatchObject({
      ok: true,
      prompt: { 2: { class_type: 'ProbePass', inputs: {} } },
    });
  });
});

test('a validator is given links where it wants them raw, and what is not declared where it takes all', async () => {
  const given: unknown[] = [];
  const curious = (more: object): NodeTable =>
    new Map(nodes).set('Curious', {
      ...nodes.get('ProbeEmpty')!,
      required: { image: { type: '*', options: { rawLink: true } } },
      validate: {
        inputs: 'all',
        check(inputs): true {
          given.push({ ...inputs });
          return true;
        },
      },
      ...more,
    });
  const prompt = {
    1: { class_type: 'Curious', inputs: { image: ['2', 0], wire: ['2', 0], stray: 1 } },
    2: { class_type: 'ProbeSource', inputs: {} },
  };
  await validatePrompt({ prompt, nodes: curious({}) });
  await validatePrompt({ prompt, nodes: curious({ acceptsAllInputs: true }) });
  expect(given).toEqual([
    { image: ['2', 0], wire: undefined },
    { image: ['2', 0], wire: undefined, stray: 1 },
  ]);
  expect(Object.keys(Object(given[0]))).toEqual(['image', 'wire']);
});

test('a validator may look whether a picture is there', async () => {
  const prompt = { 1: { class_type: 'Look', inputs: { name: 'a.png' } } };
  const look: NodeTable = new Map(nodes).set('Look', {
    ...nodes.get('ProbeEmpty')!,
    required: { name: { type: 'STRING', options: {} } },
    validate: {
      inputs: ['name'],
      check: async ({ name }, _types, files) => !files || (await files.has(String(name))) || 'not there',
    },
  });
  const answer = async (files?: InputFiles) =>
    (await validatePrompt({ prompt, nodes: look, ...(files && { files }) })).ok;
  expect(await answer()).toBe(true);
  expect(await answer({ has: async (name) => name === 'a.png' })).toBe(true);
  expect(await answer({ has: async () => false })).toBe(false);
});

test('several words may be chosen from a menu that says so, and a remote menu is not known here', async () => {
  const menu = (options: object) => ({
    ...validationNodes[3]!,
    required: { words: { type: 'COMBO', options: { options: ['a', 'b'], ...options } } },
    pythonModule: '',
  });
  const answer = async (options: object, words: unknown) => {
    const table: NodeTable = new Map([['Menu', { ...menu(options), id: 'Menu' }]]);
    const prompt = { 1: { class_type: 'Menu', inputs: { words: { __value__: words } } } };
    return (await validatePrompt({ prompt, nodes: table })).ok;
  };
  expect(await answer({ multiselect: true }, ['b', 'a'])).toBe(true);
  expect(await answer({ multiselect: true }, ['b', 'c'])).toBe(false);
  expect(await answer({}, ['b', 'a'])).toBe(false);
  expect(await answer({ remote_combo: { route: '/x' } }, 'z')).toBe(true);
});

describe('hostile prompts', () => {
  const chain = (length: number, first: string) =>
    Object.fromEntries(
      Array.from({ length }, (_, index) => [`n${index}`, pass(index === 0 ? first : `n${index - 1}`)]),
    );

  test('a chain of 10,000 nodes is checked in well under a second, whichever way it runs', async () => {
    const source = { class_type: 'ProbeSource', inputs: {} };
    const forward = { out: needs('n9999'), ...chain(10_000, 'source'), source };
    const start = performance.now();
    expect(await check(forward)).toMatchObject({ ok: true, outputs: ['out'] });
    // A tenth of a second where nothing else runs; the square of the nodes would take minutes.
    expect(performance.now() - start).toBeLessThan(5000);
    const cyclic = { out: needs('n9999'), ...chain(10_000, 'n9999') };
    expect(await check(cyclic)).toMatchObject({
      error: { type: 'prompt_outputs_failed_validation', details: '' },
      nodeErrors: {},
    });
    const broken = { out: needs('n9999'), ...chain(10_000, 'nobody') };
    expect(await check(broken)).toMatchObject({ nodeErrors: { n0: { dependent_outputs: ['out'] } } });
  });

  test('others are served meanwhile', async () => {
    const prompt = { out: needs('n9999'), ...chain(10_000, 'nobody') };
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    await check(prompt);
    isDone = true;
    expect(turns).toBeGreaterThan(10);
  });

  test('a node that many share is checked once', async () => {
    let asked = 0;
    const counting = {
      ...nodes.get('ProbePass')!,
      validate: {
        inputs: [],
        check(): true {
          asked++;
          return true;
        },
      },
    };
    const layers = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [
        `n${index}`,
        { class_type: 'Two', inputs: { image: [`n${index - 1}`, 0], other: [`n${index - 1}`, 0] } },
      ]),
    );
    const two = {
      ...counting,
      required: { image: counting.required['image']!, other: counting.required['image']! },
    };
    const table = new Map(nodes).set('Two', two);
    const prompt = { ...layers, 'n-1': { class_type: 'ProbeSource', inputs: {} }, out: needs('n39') };
    expect(await validatePrompt({ prompt, nodes: table })).toMatchObject({ ok: true });
    expect(asked).toBe(40);
  });

  test('an answer does not grow with the square of the prompt', async () => {
    const outputs = Object.fromEntries(
      Array.from({ length: 3000 }, (_, index) => [`o${index}`, needs('nobody')]),
    );
    const checked = await check(outputs);
    expect(Object.keys(checked.nodeErrors)).toHaveLength(3000);
    expect(Object.values(checked.nodeErrors).flatMap((each) => each.dependent_outputs)).toHaveLength(100_000);
  });

  test('names that objects have by themselves are no nodes and no inputs', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const link = { 1: { class_type: 'ProbeRequired', inputs: { image: [name, 0], seed: 1 } } };
      expect(await check(link)).toMatchObject({
        nodeErrors: { 1: { errors: [{ extra_info: { exception_type: 'KeyError' }, details: `'${name}'` }] } },
      });
      expect(await check({ 1: { class_type: name } })).toMatchObject({
        error: { type: 'missing_node_type' },
      });
    }
    const own = JSON.parse('{"__proto__": {"class_type": "ProbeEmpty", "inputs": {"__proto__": {"x": 1}}}}');
    const checked = await check(own);
    expect(checked).toMatchObject({ ok: true, outputs: ['__proto__'] });
    expect(Object.keys(checked.ok ? checked.prompt : {})).toEqual(['__proto__']);
  });
});
