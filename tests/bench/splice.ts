/**
 * What does it cost to put metadata into a picture that is already encoded? The least possible is one copy of its
 * bytes, which the same rounds measure; the common way, decoding and encoding again, stands beside for scale.
 */
import { type ContainerChange, spliceContainer } from '../../nodes/formats/container.ts';
import { writeExif } from '../../nodes/formats/exif.ts';
import { setXmpProperty } from '../../nodes/formats/xmp.ts';
import type { ImageFormat } from '../../nodes/kit/values.ts';
import { RECORD_KEYWORD, RECORD_XMP } from '../../nodes/metadata/record-places.ts';
import { atMost, type Measurement, QUIET, quantile, timeMs } from './measure.ts';
import { decode, makeLargePictures, reencode } from './pictures.ts';

const ROUNDS = 31;
const MOST_COPIES = 2;

/** Sizes of a large workflow; JPEG's segments hold less. */
const PARAMETERS = `a heron over the water\nNegative prompt: blur\nSteps: 20, ${'Sampler: Euler, '.repeat(200)}`;
const PROMPT = JSON.stringify({ graph: 'x'.repeat(100_000) });
const WORKFLOW = JSON.stringify({ nodes: 'x'.repeat(300_000) });
const RECORD = JSON.stringify({ record: 'x'.repeat(40_000) });
const MAKE = 0x010f;
const MODEL = 0x0110;

/** Takes about 20 s. */
export async function benchSplice(): Promise<readonly Measurement[]> {
  const rows: Measurement[] = [];
  for (const [format, file] of await makeLargePictures()) {
    const change = changeFor(format);
    await checkPixels(format, file, spliceContainer(file, change));
    rows.push(...(await compare(format, file, change)));
  }
  return rows;
}

async function compare(
  format: ImageFormat,
  file: Uint8Array,
  change: ContainerChange,
): Promise<readonly Measurement[]> {
  const megabytes = file.length / 1e6;
  const [copies, slices, splices, memory]: [number[], number[], number[], number[]] = [[], [], [], []];
  const warm = new Uint8Array(file.length);
  for (let round = 0; round < ROUNDS; round++) {
    // Each starts without the garbage of the others; the order changes, so that none profits from its place.
    const candidates = [
      () => copies.push(timeMs(() => Buffer.from(file))),
      () => slices.push(timeMs(() => file.slice())),
      () => splices.push(timeMs(() => spliceContainer(file, change))),
      () => memory.push(timeMs(() => warm.set(file))),
    ];
    for (let i = 0; i < candidates.length; i++) {
      globalThis.gc?.();
      candidates[(i + round) % candidates.length]?.();
    }
  }
  const copy = Math.min(quantile(copies, QUIET), quantile(slices, QUIET));
  const splice = quantile(splices, QUIET);
  const encodeMs = performance.now();
  await reencode(file, format, 'a heron');
  const again = performance.now() - encodeMs;
  const gigabytesPerSecond = (ms: number): number => megabytes / ms;
  return [
    { name: `${format}: size`, value: megabytes, unit: 'MB' },
    {
      name: `${format}: memcpy into memory in use (the limit)`,
      value: gigabytesPerSecond(quantile(memory, QUIET)),
      unit: 'GB/s',
    },
    { name: `${format}: copy into new memory`, value: gigabytesPerSecond(copy), unit: 'GB/s' },
    { name: `${format}: splice`, value: gigabytesPerSecond(splice), unit: 'GB/s' },
    atMost(`${format}: splice against a copy into new memory`, splice / copy, 'x', MOST_COPIES),
    { name: `${format}: decode and encode again (sharp), against splice`, value: again / splice, unit: 'x' },
  ];
}

function changeFor(format: ImageFormat): ContainerChange {
  if (format === 'png') {
    const texts = new Map([
      ['parameters', PARAMETERS],
      ['prompt', PROMPT],
      ['workflow', WORKFLOW],
    ]);
    return { texts, itxt: new Map([[RECORD_KEYWORD, RECORD]]) };
  }
  const fits = format !== 'jpeg';
  const ascii = new Map([
    [MODEL, `prompt:${PROMPT.slice(0, fits ? undefined : 20_000)}`],
    [MAKE, `workflow:${WORKFLOW.slice(0, fits ? undefined : 30_000)}`],
  ]);
  const exif = writeExif({
    userComment: { text: PARAMETERS, encoding: 'unicode' },
    ascii,
    width: 1,
    height: 1,
  });
  return { exif, xmp: setXmpProperty(undefined, RECORD_XMP, RECORD) };
}

/** Speed of a splice that changes the picture would be worth nothing. */
async function checkPixels(format: ImageFormat, before: Uint8Array, after: Uint8Array): Promise<void> {
  if (after.length <= before.length) throw new Error(`${format}: expected a longer file`);
  if (!(await decode(before)).equals(await decode(after))) throw new Error(`${format}: the pixels changed`);
}
