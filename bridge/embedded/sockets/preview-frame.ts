import type { Pixels } from '../../../nodes/kit/values.ts';

/** Longest side of a preview (ComfyUI's default of --preview-size). */
const MAX_SIDE = 512;
const QUALITY = 90;

/** ComfyUI 618b803d protocol.py, BinaryEventTypes; the first four bytes of a frame, big-endian. */
const FRAME = { preview: 1, text: 3, previewOfNode: 4 } as const;
/** How frame 1 names its format. */
const JPEG = 1;

/** A preview as a small JPEG file. The encoder runs off the main thread; shrinking before it takes few ms here. */
export async function encodePreview(picture: Pixels): Promise<Uint8Array> {
  const small = shrink(picture);
  // sharp takes longer to load than the server to start.
  const { encodePixels } = await import('../../../nodes/formats/pixels.ts');
  return await encodePixels(small, { format: 'jpeg', quality: QUALITY });
}

/** Frame 1: a preview of nobody in particular. */
export function previewFrame(jpeg: Uint8Array): Buffer {
  return Buffer.concat([words(FRAME.preview, JPEG), jpeg]);
}

/** Frame 4: a preview that says whose it is. */
export function nodePreviewFrame(jpeg: Uint8Array, of: Readonly<Record<string, unknown>>): Buffer {
  const told = Buffer.from(JSON.stringify({ ...of, image_type: 'image/jpeg' }));
  return Buffer.concat([words(FRAME.previewOfNode, told.length), told, jpeg]);
}

/** Frame 3: a line of text under a node. */
export function textFrame(message: string, nodeId: string): Buffer {
  const id = Buffer.from(nodeId);
  return Buffer.concat([words(FRAME.text, id.length), id, Buffer.from(message)]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, at * 4);
  return bytes;
}

/**
 * At most MAX_SIDE a side, as bytes, each the mean of four samples of its area: a preview of 100 megapixels takes as
 * long as one of 1.
 */
function shrink({ width, height, channels, data }: Pixels): Pixels {
  const scale = Math.max(1, Math.max(width, height) / MAX_SIDE);
  const [columns, rows] = [Math.max(1, Math.round(width / scale)), Math.max(1, Math.round(height / scale))];
  const gain = data instanceof Float32Array ? 255 : 1;
  const samples = new Uint8ClampedArray(columns * rows * channels);
  const [left, right] = [offsets(width, columns, 0.25, channels), offsets(width, columns, 0.75, channels)];
  const [top, bottom] = [
    offsets(height, rows, 0.25, width * channels),
    offsets(height, rows, 0.75, width * channels),
  ];
  let at = 0;
  for (let y = 0; y < rows; y++) {
    const [a, b] = [top[y] ?? 0, bottom[y] ?? 0];
    for (let x = 0; x < columns; x++) {
      const [l, r] = [left[x] ?? 0, right[x] ?? 0];
      for (let c = 0; c < channels; c++) {
        const sum =
          (data[a + l + c] ?? 0) + (data[a + r + c] ?? 0) + (data[b + l + c] ?? 0) + (data[b + r + c] ?? 0);
        samples[at++] = (sum / 4) * gain;
      }
    }
  }
  return { width: columns, height: rows, channels, data: new Uint8Array(samples.buffer) };
}

/** Where in the source each of `count` cells is sampled, `part` of the way through it. */
function offsets(length: number, count: number, part: number, stride: number): Float64Array {
  return Float64Array.from(
    { length: count },
    (_, i) => Math.min(length - 1, Math.floor(((i + part) * length) / count)) * stride,
  );
}
