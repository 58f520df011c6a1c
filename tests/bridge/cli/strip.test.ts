import { chmodSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectSamePixels } from '../../formats/samples.ts';
import { PLANTED, SECRETS, WORKFLOW } from '../../metadata/strip/planted.ts';
import { documentOf, expectFailure, lineage, listOf, newFolder } from './run.ts';

async function plantedFolder(): Promise<string> {
  const folder = newFolder();
  mkdirSync(join(folder, 'set/deep'), { recursive: true });
  writeFileSync(join(folder, 'set/a.png'), await PLANTED.png());
  writeFileSync(join(folder, 'set/a.png.lineage.json'), `{"models":"${SECRETS[1]}x.safetensors"}`);
  writeFileSync(join(folder, 'set/a.json'), WORKFLOW);
  writeFileSync(join(folder, 'set/deep/b.jpg'), await PLANTED.jpeg());
  writeFileSync(join(folder, 'set/deep/b.json'), '{"mine":true}');
  return folder;
}

const read = (folder: string, name: string): Buffer => readFileSync(join(folder, name));

test('a file becomes another; the source stays, and a name that is taken too', async () => {
  const folder = await plantedFolder();
  const before = read(folder, 'set/a.png');
  const args = ['strip', 'set/a.png', '--profile', 'public', '--out', 'out.png'];
  const { status, stdout, stderr } = await lineage(folder, args);
  expect([status, stdout]).toEqual([
    0,
    expect.stringMatching(/^out\.png: \d+ bytes; removed .*eXIf.*, none found\n$/),
  ]);
  expect(stderr).toContain('[strip/c2pa]');
  expect(read(folder, 'set/a.png').equals(before)).toBe(true);
  expect(read(folder, 'out.png').includes('PLANTED')).toBe(false);
  await expectSamePixels(read(folder, 'out.png'), before);
  await expectFailure(folder, args, { status: 1, code: 'output/exists' });
});

test('what told of a picture that is replaced goes with it, and only by --force', async () => {
  const folder = await plantedFolder();
  writeFileSync(join(folder, 'out.png.lineage.json'), '{"prompt":"of another picture"}');
  writeFileSync(join(folder, 'out.json'), WORKFLOW);
  const args = ['strip', 'set/a.png', '--profile', 'public', '--out', 'out.png'];
  await expectFailure(folder, args, { status: 1, code: 'output/exists' });
  const { status, stdout } = await lineage(folder, [...args, '--force']);
  expect([status, stdout]).toEqual([0, expect.stringContaining('deleted out.png.lineage.json, out.json;')]);
  expect(listOf(folder).filter((name) => name.startsWith('out'))).toEqual(['out.png']);
  expect(listOf(join(folder, 'set'))).toContain('a.png.lineage.json');
});

test('what lies beside the source stays, even where it lies beside the copy too', async () => {
  const folder = await plantedFolder();
  const args = ['strip', 'set/a.png', '--profile', 'public', '--out', 'set/a.copy', '--force'];
  const { status, stderr } = await lineage(folder, args);
  expect(status, stderr).toBe(0);
  expect(read(folder, 'set/a.json').toString()).toBe(WORKFLOW);
});

test('a folder becomes another; without --recursive its own pictures only', async () => {
  const folder = await plantedFolder();
  const args = ['strip', 'set', '--profile', 'client', '--out', 'out'];
  await lineage(folder, args);
  expect(listOf(join(folder, 'out'))).toEqual(['a.png']);
  const ended = await lineage(folder, [...args, '--recursive', '--force', '--json']);
  expect(ended.status, ended.stderr).toBe(0);
  expect(listOf(join(folder, 'out'))).toEqual(['a.png', 'deep', 'deep/b.jpg']);
  const { files, failed } = documentOf(ended) as { files: { searched: number }[]; failed: unknown[] };
  expect([files.length, failed, files.every(({ searched }) => searched > 100)]).toEqual([2, [], true]);
});

test('archive writes what lies beside the picture without its secrets', async () => {
  const folder = await plantedFolder();
  const ended = await lineage(folder, ['strip', 'set/a.png', '--profile', 'archive', '--out', 'b.png']);
  expect(ended.status, ended.stderr).toBe(0);
  expect(JSON.parse(read(folder, 'b.png.lineage.json').toString())).toEqual({ models: 'x.safetensors' });
  const all = ['b.png', 'b.json', 'b.png.lineage.json']
    .map((name) => read(folder, name).toString('latin1'))
    .join();
  for (const secret of SECRETS)
    expect(all.includes(secret) || all.includes(JSON.stringify(secret).slice(1, -1))).toBe(false);
  expect(JSON.parse(read(folder, 'b.json').toString()).nodes).toHaveLength(2);
});

test('archive writes nothing where what lies beside the picture is nested beyond measure', async () => {
  const folder = await plantedFolder();
  writeFileSync(join(folder, 'set/a.png.lineage.json'), '['.repeat(1_001));
  const args = ['strip', 'set/a.png', '--profile', 'archive', '--out', 'b.png'];
  await expectFailure(folder, args, { status: 1, code: 'strip/left-behind' });
  expect(listOf(folder)).not.toContain('b.png');
});

test('in place takes what lies beside the picture along, but no file of others', async () => {
  const folder = await plantedFolder();
  const ended = await lineage(folder, ['strip', 'set', '--recursive', '--profile', 'public', '--in-place']);
  expect(ended.status, ended.stderr).toBe(0);
  expect(listOf(join(folder, 'set'))).toEqual(['a.png', 'deep', 'deep/b.jpg', 'deep/b.json']);
  expect(read(folder, 'set/a.png').includes('PLANTED')).toBe(false);
  expect(read(folder, 'set/deep/b.jpg').includes('PLANTED')).toBe(false);
});

test('in place no link is followed, and the file keeps its mode', async () => {
  const folder = await plantedFolder();
  writeFileSync(join(folder, 'outside.png'), read(folder, 'set/a.png'));
  symlinkSync('../outside.png', join(folder, 'set/away.png'));
  symlinkSync('a.png', join(folder, 'set/here.png'));
  chmodSync(join(folder, 'set/a.png'), 0o640);
  const before = read(folder, 'outside.png');
  const ended = await lineage(folder, ['strip', 'set', '--profile', 'public', '--in-place']);
  expect(ended.status).toBe(4);
  expect(ended.stderr).toMatch(/path\/outside/);
  expect(read(folder, 'outside.png').equals(before)).toBe(true);
  expect(read(folder, 'set/a.png').includes('PLANTED')).toBe(false);
  expect(statSync(join(folder, 'set/a.png')).mode & 0o777).toBe(0o640);
  expect(lstatSync(join(folder, 'set/here.png')).isSymbolicLink()).toBe(true);
  expect(ended.stdout.match(/a\.png: /g)).toHaveLength(1);
});

test('the help says that there is no way back from --in-place', async () => {
  const { stdout } = await lineage(newFolder(), ['strip', '--help']);
  expect(stdout).toMatch(/--in-place.*cannot\s+be\s+undone/s);
  expect(stdout).toContain('keeps no journal');
});

test('one damaged picture stops no other, and the status says so', async () => {
  const folder = await plantedFolder();
  writeFileSync(join(folder, 'set/0.png'), (await PLANTED.png()).subarray(0, 200));
  const ended = await lineage(folder, ['strip', 'set', '--profile', 'public', '--out', 'out']);
  expect(ended.status).toBe(4);
  expect(ended.stderr).toMatch(/png\/malformed.*\n.*set\/0\.png/);
  expect(listOf(join(folder, 'out'))).toEqual(['a.png']);
  const again = await lineage(folder, ['strip', 'set', '--profile', 'public', '--out', 'more', '--json']);
  expect(again.status).toBe(4);
  const { files, failed } = documentOf(again);
  expect([files, failed]).toMatchObject([
    [{}],
    [{ file: expect.stringContaining('0.png'), code: 'png/malformed' }],
  ]);
});

test('never in place without being asked, and never both', async () => {
  const folder = await plantedFolder();
  const args = ['strip', 'set/a.png', '--profile', 'public'];
  await expectFailure(folder, args, { status: 2, code: 'option/conflict' });
  await expectFailure(folder, [...args, '--out', 'b.png', '--in-place'], {
    status: 2,
    code: 'option/conflict',
  });
  await expectFailure(folder, ['strip', 'set/a.png', '--out', 'b.png'], {
    status: 2,
    code: 'option/invalid',
  });
});

test('what was kept without being followed is told on the line of the picture, and in a warning', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'a.avif'), await PLANTED.avif());
  const args = ['strip', 'a.avif', '--profile', 'public', '--out', 'b.avif'];
  const { status, stdout, stderr } = await lineage(folder, args);
  expect([status, stdout]).toEqual([
    0,
    expect.stringMatching(/, none found; not followed: coded pixel data of av01\n$/),
  ]);
  expect(stderr.match(/\[strip\/unread\]/g)).toHaveLength(1);
  const told = await lineage(folder, [...args, '--force', '--json']);
  expect(documentOf(told)).toMatchObject({ files: [{ unread: ['coded pixel data of av01'] }] });
});
