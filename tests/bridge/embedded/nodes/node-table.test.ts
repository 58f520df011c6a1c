import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNodeTable } from '../../../../bridge/embedded/nodes/node-table.ts';
import { builtinNodes } from '../../../../nodes/builtin/index.gen.ts';
import { nodeDefinitions } from '../../../../nodes/index.gen.ts';
import type { LineageError } from '../../../../nodes/kit/errors.ts';

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'lineage-nodes-')), 'my-nodes');
  await mkdir(folder);
});
afterEach(() => rm(join(folder, '..'), { recursive: true }));

const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
const graphNode = (id: string): string =>
  `{ id: '${id}', title: 't', category: 'c', description: 'd', required: {}, outputs: [], run: () => ({}) }`;
const defined = (id: string): string =>
  `{ id: '${id}', title: 't', category: 'c', description: 'd', inputs: { a: { kind: 'text', default: '', tooltip: '' } }, outputs: { b: { type: 'B', tooltip: 't' } }, run: async () => ({ outputs: { b: 1 } }) }`;

const refusal = async (): Promise<LineageError> => {
  const error: unknown = await createNodeTable({ extraFolders: [folder] }).catch((thrown: unknown) => thrown);
  return error as LineageError;
};

describe('the table', () => {
  test('holds what ComfyUI has, and what is ours', async () => {
    const table = await createNodeTable({ extraFolders: [] });
    const builtin = builtinNodes.flat().map(({ id }) => [id, 'nodes']);
    const ours = nodeDefinitions.map(({ id }) => [id, 'custom_nodes.lineage']);
    expect([...table].map(([id, { pythonModule }]) => [id, pythonModule])).toEqual([...builtin, ...ours]);
  });

  test('holds what the files of a folder export: a node of either kind, or a list', async () => {
    await write('b.ts', `const node: object = ${graphNode('FromTs')};\nexport default node;`);
    await write('a.mjs', `export default [${graphNode('One')}, ${defined('LineageTwo')}];`);
    await write('c.js', `export default ${defined('LineageThree')};`);
    await write('_draft.ts', 'throw new Error("is not loaded");');
    await write('.hidden.mjs', 'throw new Error("is not loaded");');
    await write('notes.md', 'no node');
    await mkdir(join(folder, 'below.ts'));
    const table = await createNodeTable({ extraFolders: [folder] });
    const extra = [...table].filter(([, { pythonModule }]) => pythonModule === 'custom_nodes.my-nodes');
    expect(extra.map(([id]) => id)).toEqual(['One', 'LineageTwo', 'FromTs', 'LineageThree']);
    expect(table.get('LineageTwo')).toMatchObject({ outputs: [{ name: 'b', type: 'B' }], isAsync: true });
  });
});

describe('a start that fails', () => {
  test.each([
    ['throws.mjs', 'throw new Error("out of\\norder");', 'out of order'],
    ['syntax.mjs', 'export default {', 'expected a module'],
    ['nothing.mjs', 'export const node = 1;', 'got none'],
    ['number.mjs', 'export default 5;', 'got a number'],
    ['null.mjs', 'export default [null];', 'expected a default export of nodes'],
    ['half.mjs', 'export default { id: "X", run() {} };', 'an object with id, run'],
    [
      'input.mjs',
      `export default { ...${graphNode('X')}, required: { a: 'INT' } };`,
      'expected a default export',
    ],
    ['output.mjs', `export default { ...${graphNode('X')}, outputs: ['INT'] };`, 'expected a default export'],
    ['field.mjs', `export default { ...${defined('X')}, inputs: { a: {} } };`, 'expected a default export'],
  ])('names the file that is at fault: %s', async (name, text, message) => {
    await write(name, text);
    const error = await refusal();
    expect(error).toMatchObject({ code: 'nodes/unloadable', where: { file: join(folder, name) } });
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('\n');
  });

  test('names the folder that cannot be read', async () => {
    await rm(folder, { recursive: true });
    expect(await refusal()).toMatchObject({ code: 'nodes/unloadable', where: { file: folder } });
    await mkdir(folder);
  });

  test('names the second of two nodes with one id', async () => {
    await write('a.mjs', `export default ${graphNode('Same')};`);
    await write('b.mjs', `export default ${graphNode('Same')};`);
    expect(await refusal()).toMatchObject({
      code: 'nodes/duplicate',
      where: { file: join(folder, 'b.mjs') },
    });
    // A module is loaded once under its name: other names.
    await rm(join(folder, 'a.mjs'));
    await rm(join(folder, 'b.mjs'));
    await write('c.mjs', `export default ${graphNode('LineageSaveImage')};`);
    expect(await refusal()).toMatchObject({
      code: 'nodes/duplicate',
      where: { file: join(folder, 'c.mjs') },
    });
  });
});

test.runIf(builtinNodes.length > 0)(
  "a node with the id of one of ComfyUI's is left out and told of",
  async () => {
    const id = builtinNodes.flat()[0]!.id;
    await write('a.mjs', `export default ${graphNode(id)};`);
    const told: string[] = [];
    const table = await createNodeTable({ extraFolders: [folder], log: (line) => told.push(line) });
    expect(table.get(id)?.pythonModule).toBe('nodes');
    expect(told).toEqual([expect.stringContaining(`a.mjs: ${id} is left out`)]);
  },
);
