import { expect, test } from 'vitest';
import { createNodeTable, type NodeTable } from '../../../../bridge/embedded/nodes/node-table.ts';
import { describeNode, objectInfo, objectInfoOf } from '../../../../bridge/embedded/nodes/object-info.ts';
import { parseExactJson } from '../../../../nodes/kit/exact-json.ts';
import { isRecord } from '../../../../nodes/kit/is-record.ts';
import { readText } from '../../../house/sources.ts';
import { validationNodes } from '../validation/validation-nodes.ts';

const probes: NodeTable = new Map(
  validationNodes.map((node) => [node.id, { ...node, pythonModule: 'custom_nodes.validation-nodes' }]),
);

const read = (text: string) => parseExactJson(text, () => {});

/** As real ComfyUI 0.8 listed them (peers/record_validation.py). */
const recorded = read(readText('fixtures/comfy-api/object-info.json'));

/** Ours says `{}` where a class of Python may leave out a group of inputs, or the options of one. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty).filter((each) => !isEmpty(each));
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).map(([key, each]) => [key, withoutEmpty(each)] as const);
  return Object.fromEntries(kept.filter(([, each]) => !isEmpty(each)));
}

const isEmpty = (value: unknown): boolean =>
  (isRecord(value) && Object.keys(value).length === 0) || (Array.isArray(value) && value.length === 0);

test.each(validationNodes.map(({ id }) => id))(
  '%s is listed as real ComfyUI lists it, and newer keys',
  (id) => {
    const ours = read(objectInfoOf(probes, id));
    const entry: Record<string, unknown> = isRecord(ours) && isRecord(ours[id]) ? { ...ours[id] } : {};
    const newer = ['is_input_list', 'has_intermediate_output', 'search_aliases'];
    expect(newer.map((key) => typeof entry[key])).toEqual(['boolean', 'boolean', 'object']);
    for (const key of newer) delete entry[key];
    expect(withoutEmpty(entry)).toEqual(withoutEmpty(isRecord(recorded) ? recorded[id] : undefined));
  },
);

test('all classes stand in one text, in the order of the table', () => {
  expect(Object.keys(JSON.parse(objectInfo(probes)))).toEqual([...probes.keys()]);
  expect(JSON.parse(objectInfo(probes))['ProbePass']).toEqual(
    JSON.parse(objectInfoOf(probes, 'ProbePass'))['ProbePass'],
  );
});

test('an unknown class is none, whatever its name', () => {
  for (const name of ['Missing', '__proto__', 'constructor', ''])
    expect(objectInfoOf(probes, name)).toBe('{}');
});

test('a range of 64 bits is written whole', () => {
  expect(objectInfoOf(probes, 'ProbeRequired')).toContain('"max":18446744073709551615');
});

test('optional keys are there only where they say something', () => {
  const [node] = probes.values();
  expect(Object.keys(describeNode(node!)).join(' ')).toBe(
    'input input_order is_input_list output output_is_list output_name name display_name description python_module category output_node has_intermediate_output search_aliases',
  );
  const told = describeNode({
    ...node!,
    inputIsList: true,
    deprecated: true,
    experimental: true,
    outputs: [
      { type: 'A', name: 'a', tooltip: 'first' },
      { type: 'B', name: 'b', isList: true },
    ],
  });
  expect(told).toMatchObject({
    is_input_list: true,
    deprecated: true,
    experimental: true,
    output_is_list: [false, true],
    output_tooltips: ['first', null],
  });
});

test('menus of uploaded pictures hold the files that there are', () => {
  const load = (type: string | string[], image_folder = 'input') => ({
    ...validationNodes[0]!,
    pythonModule: 'nodes',
    required: { image: { type, options: { image_upload: true, image_folder, options: ['old.png'] } } },
  });
  const table: NodeTable = new Map([
    ['New', load('COMBO')],
    ['Old', load(['old.png'])],
    ['Saved', load('COMBO', 'output')],
  ]);
  const inputs = (id: string, files: string[]) =>
    JSON.parse(objectInfo(table, { pictures: files, models: new Map() }))[id].input.required.image;
  expect(inputs('New', ['a.png'])).toEqual([
    'COMBO',
    { image_upload: true, image_folder: 'input', options: ['a.png'] },
  ]);
  expect(inputs('New', ['b.png'])[1].options).toEqual(['b.png']);
  expect(inputs('Saved', ['a.png'])[1].options).toEqual(['old.png']);
  expect(inputs('Old', ['a.png'])[0]).toEqual(['a.png']);
});

test('every node that we ship is listed', async () => {
  const table = await createNodeTable({ extraFolders: [] });
  const listed: Record<string, { input: { required: Record<string, unknown[]> } }> = JSON.parse(
    objectInfo(table),
  );
  expect(Object.keys(listed)).toEqual([...table.keys()]);
  expect(listed['LineageSaveImage']).toMatchObject({
    input: { required: { images: ['IMAGE', {}] }, hidden: { unique_id: 'UNIQUE_ID' } },
    output: ['IMAGE'],
    output_node: true,
    python_module: 'custom_nodes.lineage',
  });
});
