import { readFileSync } from 'node:fs';
import type { TensorShape, TensorShapes } from '../../../nodes/merge/architectures/define.ts';

const ROOT = new URL('../../../fixtures/merge/architectures/', import.meta.url);

/** Siblings that are alike share an entry, their names joined by `|`; a leaf is `F16x320x4x3x3`. */
type Folded = { readonly [names: string]: Folded | string };

function readJson(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(file, ROOT), 'utf8'));
}

function unfold(tree: Folded, path: readonly string[] = []): [string, TensorShape][] {
  return Object.entries(tree).flatMap(([names, below]) =>
    names.split('|').flatMap((name): [string, TensorShape][] => {
      if (typeof below !== 'string') return unfold(below, [...path, name]);
      const [dtype = '', ...sides] = below.split('x');
      return [[[...path, name].join('.'), { dtype, shape: sides.map(Number) }]];
    }),
  );
}

/** A whole checkpoint in the layout of its family: `sd15`, `sd2`, `sdxl`, `sdxl-refiner`. */
export function readCheckpoint(family: string): TensorShapes {
  const { tensors } = readJson(`${family}-keys.json`) as { tensors: Folded };
  return new Map(unfold(tensors));
}

/** The models of a file that holds several, by name, with the class that ComfyUI takes each for. */
export function readModels(file: string): readonly (readonly [string, TensorShapes, string])[] {
  const { models } = readJson(file) as { models: Record<string, { tensors: Folded; comfyui?: string }> };
  return Object.entries(models).map(([name, { tensors, comfyui = '' }]) => [
    name,
    new Map(unfold(tensors)),
    comfyui,
  ]);
}

/** Every side of 64 and more that `factor` divides, divided by it: the same layout in a file of a few MB. */
export function scaleDown(tensors: TensorShapes, factor: number): TensorShapes {
  const side = (length: number): number => (length >= 64 && length % factor === 0 ? length / factor : length);
  return new Map(
    [...tensors].map(([name, { dtype, shape }]) => [
      name,
      { dtype, shape: /^B?F/.test(dtype) ? shape.map(side) : shape },
    ]),
  );
}

/** Module in diffusers to module in the original UNet, as diffusers' own conversion has them. */
export function readUnetNames(family: 'sd15' | 'sdxl'): ReadonlyMap<string, string> {
  const { [family]: pairs } = readJson('unet-names.json') as Record<string, Record<string, string>>;
  return new Map(
    Object.entries(pairs ?? {}).flatMap(([key, original]): [string, string][] => {
      const [name = '', times] = key.split(' x');
      if (times === undefined) return [[name, original]];
      return Array.from({ length: Number(times) }, (_, index): [string, string] => [
        name.replace('#', `${index}`),
        original.replace('#', `${index}`),
      ]);
    }),
  );
}

/** A tensor's name elsewhere, to the tensor it is or the runs of [tensor, first row, rows] it is made of. */
export function readTensorNames(
  file: 'clip-g-names.json' | 'flux-names.json',
): ReadonlyMap<string, string | readonly [string, number, number][]> {
  const { names } = readJson(file) as {
    names: Record<string, string | [string, number, number][]>;
  };
  return new Map(Object.entries(names));
}
