/**
 * Twenty pictures of 1024x1024, of the kinds that people save: what models paint like photographs, from smooth to
 * grainy, illustrations, and the extremes. Made by arithmetic, so that nobody's picture is needed; the same each time.
 */

export const SIDE = 1024;

/** Interleaved RGB, floats of 0 to 1 as a node gets them. */
export type Picture = { readonly name: string; readonly kind: Kind; readonly samples: Float32Array };
type Kind = 'photo' | 'illustration' | 'extreme';

/** A colour at a place, both 0 to 1. */
type Painter = (x: number, y: number, channel: number) => number;

export function* makePictures(): Generator<Picture> {
  const photos: readonly [string, number, number, number][] = [
    // Name, how much weaker each finer layer is, layers, grain.
    ['smooth', 0.38, 5, 0],
    ['soft light', 0.45, 6, 0],
    ['skin', 0.5, 7, 0.002],
    ['portrait', 0.5, 7, 0.006],
    ['landscape', 0.56, 8, 0.002],
    ['forest', 0.66, 9, 0.004],
    ['fabric', 0.72, 9, 0],
    ['street', 0.6, 9, 0.008],
    ['night', 0.5, 8, 0.012],
    ['film grain', 0.5, 7, 0.03],
    ['rock', 0.74, 10, 0.01],
    ['sky', 0.34, 4, 0.003],
  ];
  for (const [seed, [name, fall, layers, grain]] of photos.entries()) {
    yield { name, kind: 'photo', samples: paint(cloudy(seed + 1, fall, layers), grain, seed) };
  }
  const sketch = shapes(60, 71);
  yield { name: 'cartoon', kind: 'illustration', samples: paint(sketch, 0, 1) };
  yield {
    name: 'cartoon, shaded',
    kind: 'illustration',
    samples: paint(mix(sketch, cloudy(81, 0.4, 4)), 0, 2),
  };
  yield {
    name: 'painting',
    kind: 'illustration',
    samples: paint(mix(sketch, cloudy(82, 0.55, 8)), 0.004, 3),
  };
  const steps = cloudy(83, 0.5, 6);
  yield {
    name: 'anime',
    kind: 'illustration',
    samples: paint((x, y, c) => Math.round(steps(x, y, c) * 12) / 12, 0.002, 4),
  };
  yield { name: 'gradient', kind: 'extreme', samples: paint((x, y, c) => [x, y, (x + y) / 2][c] ?? 0, 0, 5) };
  yield { name: 'pixel art', kind: 'extreme', samples: paint(blocks(91, 128), 0, 6) };
  yield { name: 'one colour', kind: 'extreme', samples: paint(() => 0.4, 0, 7) };
  yield { name: 'noise', kind: 'extreme', samples: paint(() => 0.5, 1, 8) };
}

function paint(painter: Painter, grain: number, seed: number): Float32Array {
  const samples = new Float32Array(SIDE * SIDE * 3);
  const random = randomFrom(seed);
  let at = 0;
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      for (let channel = 0; channel < 3; channel++) {
        // Two draws: nearer to the grain of a sensor than one.
        const noise = grain === 0 ? 0 : grain * (random() + random() - 1);
        samples[at++] = painter(x / SIDE, y / SIDE, channel) + noise;
      }
    }
  }
  return samples;
}

/** Layers of smooth noise, each twice as fine as the one before; colours follow the light in part. */
function cloudy(seed: number, fall: number, layers: number): Painter {
  const light = layered(seed * 10, fall, layers);
  const tints = [1, 2, 3].map((channel) => layered(seed * 10 + channel, fall * 0.9, Math.max(2, layers - 2)));
  return (x, y, channel) => 0.7 * light(x, y) + 0.3 * (tints[channel]?.(x, y) ?? 0);
}

function layered(seed: number, fall: number, layers: number): (x: number, y: number) => number {
  const grids = Array.from({ length: layers }, (_, layer) => makeGrid(seed * 16 + layer, 2 ** (layer + 1)));
  const total = grids.reduce((sum, _, layer) => sum + fall ** layer, 0);
  return (x, y) => grids.reduce((sum, grid, layer) => sum + fall ** layer * grid(x, y), 0) / total;
}

/** Values at the corners of cells, and smooth between them. */
function makeGrid(seed: number, cells: number): (x: number, y: number) => number {
  const random = randomFrom(seed);
  const corners = Float32Array.from({ length: (cells + 1) ** 2 }, random);
  const ease = (t: number): number => t * t * (3 - 2 * t);
  return (x, y) => {
    const [left, top] = [Math.floor(x * cells), Math.floor(y * cells)];
    const [u, v] = [ease(x * cells - left), ease(y * cells - top)];
    const at = top * (cells + 1) + left;
    const [a = 0, b = 0, c = 0, d = 0] = [at, at + 1, at + cells + 1, at + cells + 2].map((i) => corners[i]);
    return (a * (1 - u) + b * u) * (1 - v) + (c * (1 - u) + d * u) * v;
  };
}

/** Discs of one colour with black outlines, the later over the earlier. */
function shapes(count: number, seed: number): Painter {
  const random = randomFrom(seed);
  const discs = Array.from({ length: count }, () => ({
    x: random(),
    y: random(),
    radius: 0.02 + 0.2 * random() ** 2,
    colour: [random(), random(), random()],
  }));
  return (x, y, channel) => {
    const disc = discs.findLast((each) => Math.hypot(x - each.x, y - each.y) < each.radius);
    if (!disc) return [0.94, 0.92, 0.86][channel] ?? 0;
    return Math.hypot(x - disc.x, y - disc.y) > disc.radius - 0.004 ? 0.05 : (disc.colour[channel] ?? 0);
  };
}

function blocks(seed: number, cells: number): Painter {
  const random = randomFrom(seed);
  const colours = Float32Array.from({ length: cells * cells * 3 }, () => Math.floor(random() * 8) / 8);
  return (x, y, channel) =>
    colours[3 * (Math.floor(y * cells) * cells + Math.floor(x * cells)) + channel] ?? 0;
}

function mix(a: Painter, b: Painter): Painter {
  return (x, y, channel) => 0.7 * a(x, y, channel) + 0.3 * b(x, y, channel);
}

/** xorshift32 (Marsaglia 2003), as 0 to 1. */
function randomFrom(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
