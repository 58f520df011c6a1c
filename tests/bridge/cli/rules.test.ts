import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { lineage, newFolder } from './run.ts';

/** The guide's pack that nobody knows, with its graph. */
const GUIDE = fileURLToPath(new URL('../../../fixtures/rules/', import.meta.url));

test('from an unknown pack to a passing test, by the commands of the guide', async () => {
  const folder = newFolder();
  cpSync(GUIDE, folder, { recursive: true });
  const home = join(newFolder(), 'home');
  const run = (...args: string[]) => lineage(folder, ['rules', ...args], { env: { LINEAGE_HOME: home } });

  const gaps = await run('gaps', 'object_info.json', '--prompt', 'cases/moon/prompt.json');
  expect(gaps.stdout).toContain('moon-nodes: 2 of 2 classes\n  Moon Text (used 2x)');
  const failed = await run('test', 'cases');
  expect(failed.status).toBe(4);
  expect(failed.stdout).toContain('FAILED moon');

  const scan = ['scan', 'object_info.json', '--prompt', 'cases/moon/prompt.json', '--out', 'moon.yaml'];
  expect((await run(...scan)).status).toBe(0);
  expect((await run(...scan)).stderr, 'a file that is there is never written over').toContain(
    'output/exists',
  );
  expect(await run('lint', 'moon.yaml')).toMatchObject({ status: 0, stdout: '' });
  expect((await run('test', 'cases', '--rules', 'moon.yaml')).stdout).toBe('passed moon\n');

  mkdirSync(join(home, 'rules'), { recursive: true });
  cpSync(join(folder, 'moon.yaml'), join(home, 'rules', 'moon.yaml'));
  expect((await run('test', 'cases')).stdout, 'the rules of LINEAGE_HOME').toBe('passed moon\n');

  writeFileSync(join(home, 'rules', 'a-bad.yaml'), 'version: 1\nnodes: { A: { roll: patch } }\n');
  const warned = await run('test', 'cases');
  expect(warned).toMatchObject({ status: 0, stdout: 'passed moon\n' });
  expect(warned.stderr).toContain('rules/malformed');
  const lint = await run('lint', join(home, 'rules'));
  expect(lint.status).toBe(4);
  expect(lint.stdout).toContain(
    'a-bad.yaml:2:15: error: nodes.A: expected a known key, perhaps "role", got "roll"',
  );
});

test('schema prints what editors take', async () => {
  const { stdout } = await lineage(newFolder(), ['rules', 'schema']);
  const file = new URL('../../../nodes/metadata/rules/rules.schema.gen.json', import.meta.url);
  expect(stdout).toBe(readFileSync(file, 'utf8'));
});
