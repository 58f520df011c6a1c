import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { drawNumbers, f16, writeModel } from '../merge/small-models.ts';
import { newFolder } from './run.ts';

const SIDE = 1024;
export const RUN = ['pipeline', '--manifest', 'steps.json', '--threads', '1', '--json'];

/** All that lies in the folder when a run is over. */
export const ALL_FILES = ['a.safetensors', 'b.safetensors', 'made/out.safetensors', 'steps.json'];

/** A folder with two models of 8 MiB, and steps that make two results in between and one that stays. */
export function workFolder(): string {
  const folder = newFolder();
  for (const [at, name] of ['a', 'b'].entries()) {
    const layers = Array.from({ length: 4 }, (_, layer) => {
      return [
        `layers.${layer}.weight`,
        f16([SIDE, SIDE], drawNumbers(10 * at + layer, SIDE * SIDE)),
      ] as const;
    });
    writeModel(join(folder, `${name}.safetensors`), new Map(layers));
  }
  writeFileSync(join(folder, 'steps.json'), JSON.stringify(manifest()));
  return folder;
}

function manifest() {
  const merge = (id: string, first: object, second: object) => ({
    id,
    type: 'merge',
    models: [first, second],
  });
  const [a, b] = [{ path: 'a.safetensors' }, { path: 'b.safetensors' }];
  const last = merge('three', { step: 'two' }, { step: 'one' });
  const steps = [merge('one', a, b), merge('two', { step: 'one' }, a)];
  return { pipeline: { steps: [...steps, { ...last, output: 'made/out.safetensors' }] } };
}

/** Waits until a file below the folder is named so. */
export async function untilThere(folder: string, name: RegExp): Promise<void> {
  while (!readdirSync(folder, { recursive: true }).some((file) => name.test(String(file)))) await wait(2);
}
