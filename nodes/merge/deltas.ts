import type { TensorMerge, Tile } from './method.ts';
import { TILE_ELEMENTS } from './run-method.ts';

/** What functions that any method may call need of its tensor, whatever its parameters. */
export type DeltaTensor = Pick<
  TensorMerge,
  'name' | 'shape' | 'size' | 'count' | 'weights' | 'visit' | 'write'
>;

/** The base of a method that requires one. */
export function baseOf(tile: Tile): Float32Array {
  if (!tile.base) throw new Error('a method that needs a base was run without one');
  return tile.base;
}

/**
 * Makes a function that gives each model's difference from the base, rounded to float32. Its arrays are valid until it
 * is called again.
 */
export function createDiffer(): (tile: Tile) => readonly Float32Array[] {
  let buffers: readonly Float32Array[] = [];
  return (tile) => {
    const base = baseOf(tile);
    if (buffers.length !== tile.models.length || buffers[0]?.length !== tile.length) {
      buffers = tile.models.map(() => new Float32Array(tile.length));
    }
    buffers.forEach((delta, index) => {
      const model = tile.models[index];
      if (model) subtract(model, base, delta);
    });
    return buffers;
  };
}

function subtract(model: Float32Array, base: Float32Array, into: Float32Array): void {
  const { length } = into;
  for (let i = 0; i < length; i++) into[i] = (model[i] ?? 0) - (base[i] ?? 0);
}

/** Elements of a row: of all that belongs to one entry of the first axis. A vector is one row. */
export function rowElements({ shape, size }: Pick<DeltaTensor, 'shape' | 'size'>): number {
  const [rows = 1] = shape;
  return shape.length < 2 || rows === 0 ? size : size / rows;
}

/** The same tensor in tiles of whole rows, about as long as tiles are elsewhere. Its method's reach is `tensor`. */
export function inRows<T extends DeltaTensor>(tensor: T): T {
  const row = rowElements(tensor);
  const step = row * Math.max(1, Math.floor(TILE_ELEMENTS / Math.max(1, row)));
  const split = ({ start, length, models, base }: Tile, look: (part: Tile, at: number) => void): void => {
    for (let at = 0; at < length; at += step) {
      const end = Math.min(length, at + step);
      const parts = models.map((model) => model.subarray(at, end));
      const part = { start: start + at, length: end - at, models: parts };
      look(base ? { ...part, base: base.subarray(at, end) } : part, at);
    }
  };
  return {
    ...tensor,
    visit: (look: (tile: Tile) => void) => tensor.visit((tile) => split(tile, look)),
    write: (make: (tile: Tile, out: Float32Array) => void) =>
      tensor.write((tile, out) => split(tile, (part, at) => make(part, out.subarray(at, at + part.length)))),
  };
}
