import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readFacts } from '../../../../bridge/pipeline/collect-facts.ts';
import { type SideModel, sideModel } from '../../../../bridge/pipeline/side-task.ts';
import type { FileFacts } from '../../../../nodes/pipeline/facts.ts';
import { draw } from '../../../lora/draw.ts';
import { readCheckpoint, scaleDown } from '../../../merge/architectures/layouts.ts';
import { f32, type Made, writeModel } from '../../merge/small-models.ts';

/** What `fixtures/pipeline/generate.py` scales SDXL down by. */
const FACTOR = 32;

/** A checkpoint of SDXL's layout with the values that the generator draws: by the place of each name in their order. */
export function drawCheckpoint(): Map<string, Made> {
  const shapes = scaleDown(readCheckpoint('sdxl'), FACTOR);
  const names = [...shapes.keys()].sort();
  return new Map(
    names.map((name, index) => {
      const { dtype, shape } = shapes.get(name)!;
      if (dtype !== 'F16') return [name, { dtype: 'I64', shape, bytes: new Uint8Array(8 * 77) }];
      return [name, f32(shape, draw(1000 + index, shape, 0.05).data)];
    }),
  );
}

/** The place that the generator draws a tensor by. */
export function placeOf(name: string, tensors: ReadonlyMap<string, Made>): number {
  return [...tensors.keys()].sort().indexOf(name);
}

export async function openModel(
  folder: string,
  file: string,
  tensors: ReadonlyMap<string, Made>,
): Promise<{ facts: FileFacts; model: SideModel }> {
  const path = join(folder, file);
  writeModel(path, tensors);
  const { facts } = await readFacts(path, path);
  return { facts, model: sideModel(facts, (spelled) => spelled) };
}

export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../../fixtures/pipeline/${name}`, import.meta.url), 'utf8'));
}

export const RUN = { threads: 2, signal: new AbortController().signal };
