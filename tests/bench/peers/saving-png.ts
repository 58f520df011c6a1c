import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePixels } from '../../../nodes/formats/pixels.ts';
import { splicePng } from '../../../nodes/formats/png.ts';
import { atMost, type Measurement, median } from '../measure.ts';
import { makePictures, SIDE } from './pictures.ts';

/** Turns of each side; the best counts, since others who use the machine only ever make one slower. */
const ROUNDS = 7;
const FASTER = 4;

/**
 * Floats to a PNG file in memory, its prompt embedded: by us, and by Pillow as ComfyUI's SaveImage calls it. The two
 * take turns, a picture each.
 *
 * @param python with numpy and Pillow.
 */
export async function benchSavingPng(python: string): Promise<Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), 'lineage-bench-png-'));
  const rows: { name: string; kind: string; faster: number; size: number; ours: number }[] = [];
  try {
    for (const { name, kind, samples } of makePictures()) {
      const file = join(folder, 'picture.f32');
      writeFileSync(file, samples);
      const script = join(import.meta.dirname, 'save_png.py');
      const answer = execFileSync(python, [script, String(ROUNDS), String(SIDE), file], { encoding: 'utf8' });
      const pillow: { milliseconds: number; bytes: number } = JSON.parse(answer);
      const times: number[] = [];
      let bytes = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const start = performance.now();
        bytes = (await save(samples)).length;
        times.push(performance.now() - start);
      }
      const ours = Math.min(...times);
      rows.push({ name, kind, ours, faster: pillow.milliseconds / ours, size: bytes / pillow.bytes });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const faster = median(rows.map((row) => row.faster));
  const larger = Math.max(...rows.map(({ size }) => size));
  const smaller = rows.filter(({ size }) => size < 1).length / rows.length;
  return [
    ...rows.map(({ name, kind, faster: value }): Measurement => {
      return { name: `PNG, ${kind}: ${name}: Pillow's time / ours`, value, unit: 'x' };
    }),
    {
      name: 'PNG of 1024x1024, median of 20: ours',
      value: median(rows.map(({ ours }) => ours)),
      unit: 'ms',
    },
    {
      name: "PNG of 1024x1024, median of 20: Pillow's time / ours",
      value: faster,
      unit: 'x',
      goal: `>= ${FASTER}`,
      ok: faster >= FASTER,
    },
    {
      name: 'PNG: share of pictures that are smaller than Pillow makes them',
      value: smaller,
      unit: '',
      goal: '>= 0.9',
      ok: smaller >= 0.9,
    },
    atMost("PNG: the largest, beside Pillow's", larger, 'x', 1.02),
  ];
}

async function save(samples: Float32Array): Promise<Uint8Array> {
  const pixels = { width: SIDE, height: SIDE, channels: 3 as const, data: samples };
  const encoded = await encodePixels(pixels, { format: 'png', quality: 100 });
  return splicePng(encoded, { texts: new Map([['prompt', '{}']]) });
}
