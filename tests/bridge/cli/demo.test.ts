import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { drawDusk } from '../../../bridge/cli/demo-picture.ts';
import { documentSchema } from '../../../nodes/metadata/record.ts';
import { exiftool, findingsOf } from '../../peers.ts';
import { documentOf, expectFailure, lineage, listOf, newFolder } from './run.ts';

const PICTURES = [
  'flux-custom-sampling.webp',
  'qwen-in-subgraph.avif',
  'sdxl-base-refiner.png',
  'wan22-4kb.jpg',
  'wan22-64kb.jpg',
  'wan22-8kb.jpg',
];

describe('lineage demo', () => {
  test('writes its pictures, and the same ones again', async () => {
    const folder = newFolder();
    const first = await lineage(folder, ['demo']);
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(listOf(join(folder, 'out')).filter((name) => !name.startsWith('models'))).toEqual(PICTURES);
    const bytes = PICTURES.map((name) => readFileSync(join(folder, 'out', name)));
    expect(await lineage(folder, ['demo'])).toEqual(first);
    for (const [i, name] of PICTURES.entries())
      expect(readFileSync(join(folder, 'out', name)).equals(bytes[i]!), name).toBe(true);
    for (const name of PICTURES) expect(first.stdout).toContain(name);
    const lines = first.stdout.split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(110);
    if (exiftool.available)
      for (const name of PICTURES) expect(findingsOf(join(folder, 'out', name)), name).toBe('');
  });

  test('tells the same as a document: stages, real hashes, a receipt of each reader', async () => {
    const folder = newFolder();
    const told = documentOf(await lineage(folder, ['demo', '--out', 'there', '--json']));
    const pictures = (told['pictures'] as unknown[]).map((picture) => documentSchema.parse(picture));
    expect(pictures.map(({ stage }) => stage)).toEqual([
      'full',
      'full',
      'full',
      'full',
      'reduced-exif',
      'minimal',
    ]);
    for (const { receipt, resources } of pictures) {
      expect(receipt).toHaveLength(6);
      for (const { found } of resources) expect(found).toBe(true);
    }
    const checkpoint = readFileSync(join(folder, 'there/models/checkpoints/sd_xl_base_1.0.safetensors'));
    expect(pictures[0]?.resources.find(({ name }) => name === 'sd_xl_base_1.0.safetensors')?.sha256).toBe(
      createHash('sha256').update(checkpoint).digest('hex'),
    );
  });

  test('never replaces a model of somebody else', async () => {
    const folder = newFolder();
    const model = join(folder, 'out/models/checkpoints/sd_xl_base_1.0.safetensors');
    mkdirSync(join(model, '..'), { recursive: true });
    writeFileSync(model, 'a real one');
    await expectFailure(folder, ['demo'], { status: 1, code: 'output/exists' });
    expect(readFileSync(model, 'utf8')).toBe('a real one');
  });
});

describe('drawDusk', () => {
  test('draws by its seed alone', () => {
    const draw = (seed: string): Uint8Array => drawDusk(48, 32, seed).data as Uint8Array;
    expect(draw('1')).toHaveLength(48 * 32 * 3);
    expect(draw('1')).toEqual(draw('1'));
    expect(draw('1')).not.toEqual(draw('2'));
  });

  test('puts night above, light at the horizon', () => {
    const { data } = drawDusk(90, 60, '721897303308196');
    const redOfRow = (y: number): number => {
      let sum = 0;
      for (let x = 0; x < 90; x++) sum += data[(y * 90 + x) * 3]!;
      return sum / 90;
    };
    expect(redOfRow(2)).toBeLessThan(60);
    expect(redOfRow(26)).toBeGreaterThan(180);
  });
});
