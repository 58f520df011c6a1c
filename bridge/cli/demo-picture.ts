import type { Pixels } from '../../nodes/kit/values.ts';

/** Red, green, blue, 0 to 255. */
type Colour = readonly [number, number, number];

/** From the zenith down to the horizon, evenly spaced. */
const SKY: readonly Colour[] = [
  [13, 17, 45],
  [38, 34, 84],
  [98, 62, 116],
  [196, 104, 112],
  [247, 168, 104],
  [255, 206, 138],
];
const FAR_HILL: Colour = [168, 104, 122];
const NEAR_HILL: Colour = [13, 12, 28];
const SUN: Colour = [255, 236, 190];
const GLOW: Colour = [255, 150, 70];
const RIDGES = 5;
/** Where the water begins, from the top. */
const SHORE = 0.66;

/**
 * A dusk: hills, a low sun, its path on a lake, stars, grain. Stands in for what a sampler would make.
 *
 * @param seed any text; each makes another evening, and the same text the same one
 * @returns 8-bit RGB, a new array
 */
export function drawDusk(width: number, height: number, seed: string): Pixels {
  const data = new Uint8Array(width * height * 3);
  const key = hashText(seed);
  const shore = Math.round(height * SHORE);
  const sunX = width * (0.3 + 0.4 * random(key, 1));
  const sunY = height * (0.47 + 0.05 * random(key, 2));
  const sunRadius = height * 0.045;
  const ridges = Array.from({ length: RIDGES }, (_, row) => ridgeLine(row, width, height, key));

  /** What stands above the water at a point; rows between pixels are fine. */
  const scene = (x: number, y: number): Colour => {
    const distance = Math.hypot(x - sunX, y - sunY);
    let colour = gradient(SKY, y / (height * 0.6));
    colour = blend(colour, GLOW, 0.75 * Math.exp(-distance / (height * 0.16)));
    colour = blend(colour, SUN, smooth(sunRadius + 1.5, sunRadius - 1.5, distance));
    colour = add(colour, 235 * starAt(x, y, key) * smooth(height * 0.42, height * 0.05, y));
    for (const [row, ridge] of ridges.entries()) {
      const top = ridge[x] ?? shore;
      const hill = blend(FAR_HILL, NEAR_HILL, (row / (RIDGES - 1)) ** 0.7);
      // Mist gathers at the foot of each row.
      const misty = blend(hill, FAR_HILL, 0.35 * smooth(top, shore, y) * (1 - row / RIDGES));
      colour = blend(colour, misty, smooth(top - 0.8, top + 0.8, y));
    }
    return colour;
  };

  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = y < shore ? scene(x, y) : waterAt(x, y);
      const grain = 7 * (random(key, x, y) + random(key + 1, x, y) - 1);
      for (let channel = 0; channel < 3; channel++) {
        data[(y * width + x) * 3 + channel] = Math.max(0, Math.min(255, (colour[channel] ?? 0) + grain));
      }
    }
  }
  return { width, height, channels: 3, data };

  /** The scene upside down, shaken by ripples that grow toward the viewer. */
  function waterAt(x: number, y: number): Colour {
    const depth = (y - shore) / (height - shore);
    const wave = noise(key + 7, x / (24 + 90 * depth), y / (1.2 + 3.2 * depth)) - 0.5;
    const mirrored = shore - 1 - (y - shore) * 1.15 + wave * 26 * (0.15 + depth);
    const column = Math.min(width - 1, Math.max(0, Math.round(x + wave * 18 * depth)));
    const still = blend(scene(column, Math.min(shore - 1, Math.max(0, mirrored))), [52, 14, 38], 0.25);
    const spread = sunRadius * (0.5 + 2.2 * depth);
    const path = Math.exp(-(((x - sunX) / spread) ** 2)) * smooth(0.12, 0.34, wave + 0.1);
    return blend(still, [255, 190, 120], 0.8 * path);
  }
}

/** The height of one row of hills for each column, in rows from the top; 0 is the farthest. */
function ridgeLine(row: number, width: number, height: number, key: number): Float32Array {
  const base = height * (0.5 + 0.035 * row);
  const tall = height * (0.16 - 0.012 * row);
  const line = new Float32Array(width);
  for (let x = 0; x < width; x++) {
    let [sum, weight, wave] = [0, 1, (2.2 + 0.7 * row) / width];
    for (let octave = 0; octave < 6; octave++) {
      sum += weight * (noise(key + 31 * row + octave, x * wave, row) - 0.5);
      [weight, wave] = [weight * 0.46, wave * 2.1];
    }
    line[x] = base + height * 0.02 - tall * (0.35 + sum);
  }
  return line;
}

/** Brightness of the star at a point, 0 nearly everywhere: at most one in a square of 14 pixels. */
function starAt(x: number, y: number, key: number): number {
  const [column, row] = [Math.floor(x / 14), Math.floor(y / 14)];
  const bright = random(key + 3, column, row);
  if (bright < 0.72) return 0;
  const atX = (column + 0.3 + 0.4 * random(key + 4, column, row)) * 14;
  const atY = (row + 0.3 + 0.4 * random(key + 5, column, row)) * 14;
  const size = 0.5 + 0.9 * (bright - 0.72) * (bright > 0.97 ? 4 : 1);
  return ((bright - 0.72) / 0.28) ** 2 * Math.exp(-((x - atX) ** 2 + (y - atY) ** 2) / (2 * size * size));
}

/** Smooth value noise over a grid of whole numbers, 0 to 1. */
function noise(key: number, x: number, y: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, down] = [smooth(0, 1, x - left), smooth(0, 1, y - top)];
  const upper = mix(random(key, left, top), random(key, left + 1, top), right);
  const lower = mix(random(key, left, top + 1), random(key, left + 1, top + 1), right);
  return mix(upper, lower, down);
}

/** 0 to 1 from whole numbers: an integer hash (multiply, shift, xor), the same on every machine. */
function random(key: number, x: number, y = 0): number {
  let hash = (key ^ Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca77)) | 0;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}

/** FNV-1a over UTF-16 units. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}

function gradient(stops: readonly Colour[], at: number): Colour {
  const place = Math.min(1, Math.max(0, at)) * (stops.length - 1);
  const index = Math.min(stops.length - 2, Math.floor(place));
  return blend(stops[index] ?? SUN, stops[index + 1] ?? SUN, place - index);
}

function blend(from: Colour, to: Colour, share: number): Colour {
  return [mix(from[0], to[0], share), mix(from[1], to[1], share), mix(from[2], to[2], share)];
}

function add([red, green, blue]: Colour, light: number): Colour {
  return [red + light, green + light, blue + light];
}

function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}

/** 0 at `from`, 1 at `to`, an S between; the two may stand in either order. */
function smooth(from: number, to: number, at: number): number {
  const share = Math.min(1, Math.max(0, (at - from) / (to - from)));
  return share * share * (3 - 2 * share);
}
