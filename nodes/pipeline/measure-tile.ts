/**
 * What is counted of some elements of several models: of a tile, a tensor, a block or all. Every number but the extremes
 * is a sum, so that parts are measured apart and added, in a fixed order.
 */
export type Sums = {
  /** Of one model. */
  readonly elements: number;
  /** Elements that are finite in all models and in the base; only these count in what follows. */
  readonly compared: number;
  readonly models: readonly ModelSums[];
  /**
   * Inner products of the models or, with a base, of their differences from it: (i, j) with i <= j at
   * `pairIndex(i, j)`.
   */
  readonly products: readonly number[];
  /** The square of the base's norm; 0 without one. */
  readonly baseSquare: number;
  /** Elements where at least two models, or differences, are not 0. */
  readonly contested: number;
  /** Of these, the ones that have both signs. */
  readonly conflicts: number;
  /** Elements of the first model that lie nearest to each of the others; the last is the base, where there is one. */
  readonly nearest: readonly number[];
  /** Elements of the first model that are equally near to several. */
  readonly ties: number;
};

/** Of one model alone, before anything is left out. */
type ModelSums = {
  readonly nan: number;
  readonly infinite: number;
  /** Of the finite elements; +Inf and -Inf where there is none. */
  readonly min: number;
  readonly max: number;
  /** The largest magnitude of what sets it apart from the base, or without one of itself. */
  readonly largest: number;
};

/** Where the pair (i, j), i <= j, stands: a lower triangle, row by row. */
export function pairIndex(i: number, j: number): number {
  return (j * (j + 1)) / 2 + i;
}

/** Of nothing. */
export function emptySums(models: number, hasBase: boolean): Sums {
  const none = {
    nan: 0,
    infinite: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    largest: 0,
  };
  return {
    elements: 0,
    compared: 0,
    models: Array.from({ length: models }, () => none),
    products: zeros(pairIndex(0, models)),
    baseSquare: 0,
    contested: 0,
    conflicts: 0,
    nearest: zeros(models - 1 + (hasBase ? 1 : 0)),
    ties: 0,
  };
}

/** Both together; as many models in each. */
export function addSums(a: Sums, b: Sums): Sums {
  const add = (left: readonly number[], right: readonly number[]): number[] =>
    left.map((value, i) => value + (right[i] ?? 0));
  return {
    elements: a.elements + b.elements,
    compared: a.compared + b.compared,
    models: a.models.map((one, i) => addModel(one, b.models[i] ?? one)),
    products: add(a.products, b.products),
    baseSquare: a.baseSquare + b.baseSquare,
    contested: a.contested + b.contested,
    conflicts: a.conflicts + b.conflicts,
    nearest: add(a.nearest, b.nearest),
    ties: a.ties + b.ties,
  };
}

function addModel(a: ModelSums, b: ModelSums): ModelSums {
  return {
    nan: a.nan + b.nan,
    infinite: a.infinite + b.infinite,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    largest: Math.max(a.largest, b.largest),
  };
}

/**
 * Measures some elements, in double precision.
 *
 * @param tiles the same elements of each model, all as long; not modified.
 * @param base of the base as well, where there is one.
 */
export function measureTile(tiles: readonly Float32Array[], base?: Float32Array): Sums {
  const elements = tiles[0]?.length ?? 0;
  const counts = tiles.map(countModel);
  const isClean = [...counts, ...(base ? [countModel(base)] : [])].every(
    ({ nan, infinite }) => nan + infinite === 0,
  );
  const [values, origin] = isClean ? [tiles, base] : keepFinite(tiles, base);
  const vectors = values.map((tile) => differences(tile, origin));
  const { contested, conflicts } = countConflicts(vectors);
  const { nearest, ties } = countNearest(values, origin);
  return {
    elements,
    compared: values[0]?.length ?? 0,
    models: counts.map((count, i) => ({ ...count, largest: largestOf(vectors[i] ?? new Float64Array()) })),
    products: vectors.flatMap((right, j) => vectors.slice(0, j + 1).map((left) => innerProduct(left, right))),
    baseSquare: origin ? innerProduct(origin, origin) : 0,
    contested,
    conflicts,
    nearest,
    ties,
  };
}

function countModel(tile: Float32Array): Omit<ModelSums, 'largest'> {
  let nan = 0;
  let infinite = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < tile.length; i++) {
    const value = tile[i] ?? 0;
    // Only what is no number, or infinite, differs from itself by that.
    if (value - value !== 0) {
      if (Number.isNaN(value)) nan++;
      else infinite++;
      continue;
    }
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { nan, infinite, min, max };
}

/** Without the elements that are NaN or infinite anywhere. */
function keepFinite(
  tiles: readonly Float32Array[],
  base: Float32Array | undefined,
): readonly [readonly Float32Array[], Float32Array | undefined] {
  const all = base ? [...tiles, base] : tiles;
  const keep = (_: number, i: number): boolean => all.every((tile) => Number.isFinite(tile[i]));
  return [tiles.map((tile) => tile.filter(keep)), base?.filter(keep)];
}

function differences(tile: Float32Array, base: Float32Array | undefined): Float64Array {
  const out = new Float64Array(tile.length);
  if (base) for (let i = 0; i < out.length; i++) out[i] = (tile[i] ?? 0) - (base[i] ?? 0);
  else out.set(tile);
  return out;
}

function innerProduct(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

function largestOf(vector: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < vector.length; i++) {
    const size = Math.abs(vector[i] ?? 0);
    if (size > largest) largest = size;
  }
  return largest;
}

function countConflicts(vectors: readonly Float64Array[]): { contested: number; conflicts: number } {
  let contested = 0;
  let conflicts = 0;
  const length = vectors[0]?.length ?? 0;
  if (vectors.length < 2) return { contested, conflicts };
  const [up, down] = [new Uint8Array(length), new Uint8Array(length)];
  for (const vector of vectors) {
    for (let i = 0; i < length; i++) {
      const value = vector[i] ?? 0;
      if (value > 0) up[i] = (up[i] ?? 0) + 1;
      else if (value < 0) down[i] = (down[i] ?? 0) + 1;
    }
  }
  for (let i = 0; i < length; i++) {
    const [ups, downs] = [up[i] ?? 0, down[i] ?? 0];
    if (ups + downs > 1) contested++;
    if (ups > 0 && downs > 0) conflicts++;
  }
  return { contested, conflicts };
}

function countNearest(
  [first = new Float32Array(), ...others]: readonly Float32Array[],
  base: Float32Array | undefined,
): { nearest: readonly number[]; ties: number } {
  const parents = base ? [...others, base] : others;
  const nearest = zeros(parents.length);
  if (parents.length < 2) return { nearest: nearest.map(() => first.length), ties: 0 };
  const least = new Float64Array(first.length).fill(Number.POSITIVE_INFINITY);
  // The parent that is nearest so far, or the number of parents where several are.
  const winner = new Uint8Array(first.length);
  const tied = parents.length;
  parents.forEach((parent, p) => {
    for (let i = 0; i < first.length; i++) {
      const distance = Math.abs((first[i] ?? 0) - (parent[i] ?? 0));
      const before = least[i] ?? 0;
      if (distance < before) {
        least[i] = distance;
        winner[i] = p;
      } else if (distance === before) winner[i] = tied;
    }
  });
  let ties = 0;
  for (let i = 0; i < winner.length; i++) {
    const place = winner[i] ?? 0;
    if (place === tied) ties++;
    else nearest[place] = (nearest[place] ?? 0) + 1;
  }
  return { nearest, ties };
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}
