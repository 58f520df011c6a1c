import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { full, infotext, png } from '../../metadata/lint/pictures.ts';
import { documentOf, expectFailure, lineage, newFolder } from './run.ts';

async function someFolder(): Promise<string> {
  const folder = newFolder();
  mkdirSync(join(folder, 'set/deep'), { recursive: true });
  writeFileSync(join(folder, 'set/good.png'), await full());
  writeFileSync(
    join(folder, 'set/deep/bad.png'),
    await png({ parameters: infotext({ 'CFG scale': 'None' }) }),
  );
  writeFileSync(join(folder, 'set/notes.txt'), 'no picture');
  return folder;
}

test('a good picture is status 0, a bad one 4, with the rule, the reason and what to do on one line', async () => {
  const folder = await someFolder();
  expect(await lineage(folder, ['lint', 'set'])).toMatchObject({ status: 0, stdout: '' });
  const found = await lineage(folder, ['lint', 'set', '--recursive']);
  expect(found.status).toBe(4);
  expect(found.stdout).toMatch(
    /^set\/deep\/bad\.png: error M106 everything: cfgScale is "None", not a number.*\. Leave the key out/m,
  );
  expect(found.stderr).toContain('2 pictures, ');
});

test('--level says what counts', async () => {
  const folder = await someFolder();
  const notes = await lineage(folder, ['lint', 'set/good.png', '--level', 'note']);
  expect([notes.status, notes.stdout.includes('note M110')]).toEqual([4, true]);
  const errors = await lineage(folder, ['lint', 'set/deep/bad.png', '--level', 'error', '--json']);
  const { files } = documentOf(errors) as { files: { findings: { id: string; severity: string }[] }[] };
  expect(new Set(files[0]?.findings.map(({ severity }) => severity))).toEqual(new Set(['error']));
});

test('--sarif and --rules are documents of their own', async () => {
  const folder = await someFolder();
  const log = documentOf(await lineage(folder, ['lint', 'set', '--recursive', '--sarif']));
  expect(log).toMatchObject({ version: '2.1.0', runs: [{ tool: { driver: { name: 'Lineage' } } }] });
  const rules = await lineage(folder, ['lint', '--rules']);
  expect([rules.status, rules.stdout.includes('M301 error   model-tag')]).toEqual([0, true]);
});

test('no path, a missing file and two forms at once are refused', async () => {
  const folder = await someFolder();
  await expectFailure(folder, ['lint'], { status: 2, code: 'option/invalid' });
  await expectFailure(folder, ['lint', 'nowhere.png'], { status: 1, code: 'file/missing' });
  await expectFailure(folder, ['lint', 'set', '--sarif'], { status: 2, code: 'option/conflict' });
});
