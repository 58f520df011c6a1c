import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawNumbers, f16, f32, numbersOf, readModel, writeModel } from '../merge/small-models.ts';

/** A whole merge method, as README shows it. */
const LOUDEST = `import { defineMergeMethod } from '../method.ts';

export default defineMergeMethod({
  id: 'loudest',
  title: 'Loudest',
  description: 'Of each element the value that is farthest from zero, times a gain.',
  source: 'an example',
  models: { min: 2 },
  base: 'none',
  weighted: false,
  params: { gain: { default: 1, min: 0, max: 4, tooltip: 'Factor of the result.' } },
  version: 1,
  reach: 'tile',
  merge({ params: { gain }, write }) {
    write(({ models }, out) => {
      for (let i = 0; i < out.length; i++) {
        const values = models.map((model) => model[i] ?? 0);
        out[i] = gain * values.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
      }
    });
  },
});
`;

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** A copy of the program to which the one file is added; the model files lie beside it. */
const folder = mkdtempSync(join(tmpdir(), 'lineage-toy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

function node(...args: string[]): string {
  const env = { ...process.env, NODE_OPTIONS: '', LINEAGE_HOME: at('home') };
  return execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env, stdio: 'pipe' });
}

const SIZE = 70_001;
const [a, b, c] = [1, 2, 3].map((seed) => drawNumbers(seed, SIZE));

beforeAll(() => {
  for (const name of ['bridge', 'nodes', 'rules', 'package.json', 'README.md', 'tests/bench/results.csv'])
    cpSync(join(ROOT, name), at(name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), at('node_modules'));
  writeFileSync(at('nodes/merge/methods/loudest.ts'), LOUDEST);
  node('bridge/build/generate.ts');
  writeModel(at('a.safetensors'), new Map([['x', f32([SIZE], a!)]]));
  writeModel(at('b.safetensors'), new Map([['x', f16([SIZE], b!)]]));
  writeModel(at('c.safetensors'), new Map([['x', f32([SIZE], c!)]]));
}, 60_000);

test('a method added in one file is listed, merges, and has its parameters checked', () => {
  expect(node('bridge/lineage.mjs', 'merge', '--list-methods', '--method', 'loudest')).toMatch(
    /loudest[\s\S]*gain/,
  );

  const models = ['a', 'b', 'c'].flatMap((name) => ['--model', `${name}.safetensors`]);
  const merge = ['bridge/lineage.mjs', 'merge', '--method', 'loudest', ...models, '--out', 'out.safetensors'];
  node(...merge, '--param', 'gain=2', '--dtype', 'fp32');
  const made = numbersOf(readModel(at('out.safetensors')).get('x')!);
  const half = numbersOf(readModel(at('b.safetensors')).get('x')!);
  const wanted = Float32Array.from(a!, (x, i) => {
    const [y, z] = [half[i]!, c![i]!];
    return 2 * [x, y, z].sort((one, other) => Math.abs(other) - Math.abs(one))[0]!;
  });
  expect(made).toHaveLength(SIZE);
  expect(made.findIndex((x, i) => x !== wanted[i])).toBe(-1);

  expect(() => node(...merge, '--param', 'gain=5')).toThrow(/gain.*a number from 0 to 4, got 5/s);
});
