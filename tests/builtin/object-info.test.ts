import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { builtinNodes } from '../../nodes/builtin/index.gen.ts';
import { ExactNumber, parseExactJson } from '../../nodes/kit/exact-json.ts';
import type { GraphNode } from '../../nodes/kit/graph-node.ts';
import type { InputSpec } from '../../nodes/kit/input-spec.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';

/** What ComfyUI's /object_info says of these classes: written by tests/builtin/record-object-info.py. */
const file = new URL('../../fixtures/builtin/object-info.json', import.meta.url);
const served = parseExactJson(readFileSync(file, 'utf8'), () => undefined);
const classes = new Map(isRecord(served) ? Object.entries(served) : []);

describe('built-in nodes are declared as ComfyUI declares them', () => {
  test('no class is missing, none is made up', () => {
    const ids = builtinNodes.flat().map(({ id }) => id);
    expect(ids.toSorted()).toEqual([...classes.keys()].toSorted());
  });

  test.each(builtinNodes.flat().map((node) => [node.id, node] as const))('%s', (id, node) => {
    const theirs = classes.get(id);
    if (!isRecord(theirs)) throw new Error('not recorded');
    const { input, ...rest } = theirs;
    if (!isRecord(input)) throw new Error('no inputs');
    const { hidden, ...groups } = input;
    expect(declared(node)).toEqual({
      ...rest,
      // The newer classes without a title say null; their id is shown then.
      display_name: rest['display_name'] ?? id,
      deprecated: rest['deprecated'] ?? false,
      experimental: rest['experimental'] ?? false,
      input: describeGroups(groups),
      // The older spelling is `"PROMPT"`, the newer `["PROMPT"]`.
      hidden: isRecord(hidden)
        ? Object.fromEntries(Object.entries(hidden).map(([k, v]) => [k, [v].flat()[0]]))
        : {},
    });
  });
});

/** ComfyUI leaves empty options out in older classes. */
function describeGroups(groups: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(groups).map(([group, inputs]) => [
      group,
      Object.fromEntries(
        Object.entries(isRecord(inputs) ? inputs : {}).map(([name, spec]) => {
          const [type, options = {}] = Array.isArray(spec) ? spec : [];
          return [name, [type, numbers(options)]];
        }),
      ),
    ]),
  );
}

function declared(node: GraphNode) {
  const { title, category, required, optional, hidden = {}, outputs } = node;
  const groups = { required, ...(optional && { optional }) };
  const order = { ...groups, ...(node.hidden && { hidden }) };
  return {
    input: Object.fromEntries(
      Object.entries(groups).map(([group, inputs]) => [group, describeInputs(inputs)]),
    ),
    input_order: Object.fromEntries(
      Object.entries(order).map(([group, inputs]) => [group, Object.keys(inputs)]),
    ),
    output: outputs.map(({ type }) => type),
    output_is_list: outputs.map(({ isList }) => isList ?? false),
    output_name: outputs.map(({ name }) => name),
    display_name: title,
    category,
    output_node: node.terminal ?? false,
    deprecated: node.deprecated ?? false,
    experimental: node.experimental ?? false,
    hidden,
  };
}

function describeInputs(inputs: Readonly<Record<string, InputSpec>>) {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { type, options }]) => {
      const { tooltip: _, ...others } = options;
      return [name, [type, numbers(others)]];
    }),
  );
}

/** Numbers by value, exactly: 64-bit bounds are bigints with us, `1.0` and `1` are one. */
function numbers(value: unknown): unknown {
  if (value instanceof ExactNumber)
    return /^-?\d+$/.test(value.text) ? String(BigInt(value.text)) : String(value.value);
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(numbers);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, numbers(each)]));
}
