import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { embedMetadata } from '../../../nodes/metadata/embed.ts';
import { parseInfotext } from '../../../nodes/metadata/infotext.ts';
import { makeImage } from '../../formats/samples.ts';
import { documentOf, expectFailure, lineage, listOf, newFolder } from './run.ts';

const TEXT =
  'a heron\nNegative prompt: blur\nSteps: 9, Sampler: Euler, Seed: 7, Size: 13x9, Version: ComfyUI';
const PROMPT = `{"9": {"class_type":"SaveImage", "inputs":{"n": 8.0}}}`;
const WORKFLOW = `{"nodes":[],"links":[],"pad":"${'0123456789'.repeat(3_000)}"}`;

async function folderWith(name: string, graphs: { prompt?: string; workflow?: string }): Promise<string> {
  const folder = newFolder();
  const picture = await makeImage(name.endsWith('png') ? 'png' : 'jpeg');
  const request = { parameters: parseInfotext(TEXT), record: '{}', maxExifBytes: 4_096, ...graphs };
  writeFileSync(join(folder, name), embedMetadata(picture, request, () => {}).bytes);
  return folder;
}

test('a compressed workflow comes back as it was, checked', async () => {
  const folder = await folderWith('a.jpg', { prompt: PROMPT, workflow: WORKFLOW });
  const args = ['restore', 'a.jpg', '--out', 'w.json', '--prompt-out', 'p.json'];
  const { status, stdout } = await lineage(folder, args);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^w\.json: 30032 bytes, SHA-256 [0-9a-f]{64} as recorded\np\.json: 54 bytes, /);
  expect(readFileSync(join(folder, 'w.json'), 'utf8')).toBe(WORKFLOW);
  expect(readFileSync(join(folder, 'p.json'), 'utf8')).toBe(PROMPT);
  await expectFailure(folder, args, { status: 1, code: 'output/exists' });
  expect((await lineage(folder, [...args, '--force'])).status).toBe(0);
});

test('without --out it is printed; --json has all of it', async () => {
  const folder = await folderWith('a.jpg', { workflow: WORKFLOW });
  expect((await lineage(folder, ['restore', 'a.jpg'])).stdout).toBe(`${WORKFLOW}\n`);
  const told = documentOf(await lineage(folder, ['restore', 'a.jpg', '--json']));
  expect(told).toMatchObject({ file: 'a.jpg', out: [], workflow: WORKFLOW });
  await expectFailure(folder, ['restore', 'a.jpg', '--prompt-out', 'p.json'], {
    status: 1,
    code: 'graph/malformed',
  });
  expect(listOf(folder)).toEqual(['a.jpg']);
});

test('a picture whose graphs lie where everybody looks', async () => {
  const folder = await folderWith('a.png', { workflow: WORKFLOW });
  const { stdout } = await lineage(folder, ['restore', 'a.png', '--out', 'w.json']);
  expect(stdout).toBe('w.json: 30032 bytes\n');
});

test('one without graphs, and one whose segments are damaged', async () => {
  const bare = await folderWith('a.jpg', {});
  await expectFailure(bare, ['restore', 'a.jpg'], { status: 1, code: 'graph/malformed' });
  const folder = await folderWith('a.jpg', { workflow: WORKFLOW });
  const bytes = readFileSync(join(folder, 'a.jpg'));
  const at = bytes.indexOf('b1e9f0c4', 'hex') + 70;
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  writeFileSync(join(folder, 'a.jpg'), bytes);
  await expectFailure(folder, ['restore', 'a.jpg', '--out', 'w.json'], { status: 1, code: 'jpeg/packed' });
  expect(listOf(folder)).toEqual(['a.jpg']);
});

test('trace and inspect read them as from any other picture', async () => {
  const folder = await folderWith('a.jpg', { prompt: PROMPT, workflow: WORKFLOW });
  const traced = await lineage(folder, ['trace', 'a.jpg', '--json']);
  expect(traced.status, traced.stderr).toBe(0);
  expect(documentOf(traced)).toMatchObject({ saveNode: '9' });
  const seen = documentOf(await lineage(folder, ['inspect', 'a.jpg', '--json']));
  expect(seen).toMatchObject({ ours: { workflow: WORKFLOW, prompt: PROMPT } });
});
