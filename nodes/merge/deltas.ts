import type { TensorMerge, Tile } from './method.ts';
import { TILE_ELEMENTS } from './run-method.ts';
import type { TileArithmetic } from './tile-arithmetic.ts';

/** What functions that any method may call need of its tensor, whatever its parameters. */
export type DeltaTensor = Pick<
  TensorMerge,
  'name' | 'shape' | 'size' | 'count' | 'weights' | 'arithmetic' | 'visit' | 'write'
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
export function createDiffer(
  arithmetic: Pick<TileArithmetic, 'floats' | 'subtract'>,
): (tile: Tile) => readonly Float32Array[] {
  const take = keepBuffers(arithmetic);
  return (tile) => {
    const base = baseOf(tile);
    const deltas = take(tile.models.length, tile.length);
    deltas.forEach((delta, index) => {
      const model = tile.models[index];
      if (model) arithmetic.subtract(model, base, delta);
    });
    return deltas;
  };
}

/** Makes a function that gives so many arrays of a length, the same ones whenever they do: first tiles are the longest. */
export function keepBuffers({
  floats,
}: Pick<TileArithmetic, 'floats'>): (count: number, length: number) => readonly Float32Array[] {
  let buffers: readonly Float32Array[] = [];
  return (count, length) => {
    if (buffers.length !== count || (buffers[0]?.length ?? 0) < length) {
      buffers = Array.from({ length: count }, () => floats(length));
    }
    return buffers.map((buffer) => buffer.subarray(0, length));
  };
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
