import { latin1 } from '../cursor.ts';

/**
 * sRGB as profiles spell it: primaries adapted to D50, by columns X, Y, Z.
 * @see IEC 61966-2-1, and https://www.color.org/chardata/rgb/srgb.xalter
 */
const PRIMARIES: Readonly<Record<string, readonly number[]>> = {
  rXYZ: [0.43607, 0.22249, 0.01392],
  gXYZ: [0.38515, 0.71687, 0.09708],
  bXYZ: [0.14307, 0.06061, 0.7141],
};
/** Writers round their primaries in various ways; those of other spaces are ten times as far off. */
const PRIMARY_TOLERANCE = 0.002;
/** Half a step of eight bits, as light where the curve is steepest (2.3). */
const CURVE_TOLERANCE = (2.3 * 0.5) / 255;

/**
 * Whether the tags of a profile have the primaries and the curves of sRGB.
 *
 * @param tags data by name
 */
export function isStandardRgb(tags: ReadonlyMap<string, Uint8Array>): boolean {
  const hasPrimaries = Object.entries(PRIMARIES).every(([name, wanted]) => {
    const data = tags.get(name);
    if (data === undefined || data.length < 20) return false;
    const view = viewOf(data);
    return wanted.every((value, at) => Math.abs(fixed(view, 8 + 4 * at) - value) <= PRIMARY_TOLERANCE);
  });
  return (
    hasPrimaries &&
    ['rTRC', 'gTRC', 'bTRC'].every((name) => {
      const curve = curveOf(tags.get(name));
      return (
        curve !== undefined &&
        Array.from({ length: 256 }, (_, at) => at / 255).every(
          (x) => Math.abs(curve(x) - toLight(x)) <= CURVE_TOLERANCE,
        )
      );
    })
  );
}

function toLight(x: number): number {
  return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
}

/** Undefined for a kind of curve that sRGB is not written in. */
function curveOf(data: Uint8Array | undefined): ((x: number) => number) | undefined {
  if (data === undefined || data.length < 12) return undefined;
  const view = viewOf(data);
  const type = latin1(data.subarray(0, 4));
  if (type === 'curv') {
    const count = view.getUint32(8);
    // A list: of one entry, it would be a gamma.
    if (count < 2 || 12 + 2 * count > data.length) return undefined;
    return (x) => {
      const place = x * (count - 1);
      const low = Math.min(count - 2, Math.floor(place));
      const [a, b] = [view.getUint16(12 + 2 * low), view.getUint16(14 + 2 * low)];
      return (a + (b - a) * (place - low)) / 0xffff;
    };
  }
  // Kind 3: (ax + b)^g from d on, cx before.
  if (type !== 'para' || view.getUint16(8) !== 3 || data.length < 32) return undefined;
  const [g = 1, a = 1, b = 0, c = 0, d = 0] = [12, 16, 20, 24, 28].map((at) => fixed(view, at));
  return (x) => (x >= d ? (a * x + b) ** g : c * x);
}

/** s15Fixed16 */
function fixed(view: DataView, at: number): number {
  return view.getInt32(at) / 65_536;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
