import sharp from 'sharp';
import { expect, test } from 'vitest';
import { decodePixels } from '../../nodes/formats/pixels.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { Pixels } from '../../nodes/kit/values.ts';
import { encodeInOrder } from '../../nodes/metadata/encode-in-order.ts';

const WEBP = { format: 'webp', quality: 90, lossless: true } as const;
const SIDE = 256;

/** Grey pictures; `begun` gets each index when its samples are first looked at, `onBegin` is called right then. */
function batch(size: number, onBegin: (index: number) => void = () => {}) {
  const begun: number[] = [];
  const images = Array.from({ length: size }, (_, index): Pixels => {
    const data = new Uint8Array(SIDE * SIDE * 3).fill(index * 10);
    return {
      width: SIDE,
      height: SIDE,
      channels: 3,
      get data() {
        if (!begun.includes(index)) {
          begun.push(index);
          onBegin(index);
        }
        return data;
      },
    };
  });
  return { images, begun };
}

/** Pictures that the encoder has in work, or waiting for a thread. */
function inWork(): number {
  const { queue, process } = sharp.counters();
  return queue + process;
}

const { signal } = new AbortController();

/** A picture that takes an encoder many times as long as those of a batch. */
function slow(): Pixels {
  const noise = new Uint8Array(1024 * 1024 * 3).map((_, i) => (i * 7919) % 251);
  return { width: 1024, height: 1024, channels: 3, data: noise };
}

test('each file comes with its picture, in order', async () => {
  // The first takes longest: what is ready sooner waits for it.
  const images = [slow(), ...batch(6).images];
  const order: number[] = [];
  for await (const { index, image, encoded } of encodeInOrder(images, WEBP, signal)) {
    order.push(index);
    expect(image).toBe(images[index]);
    expect((await decodePixels(encoded)).data).toEqual(images[index]?.data);
  }
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('no more than three are in work, and none is begun before the one three ahead of it is taken', async () => {
  const before: number[] = [];
  const { images, begun } = batch(6, () => before.push(inWork()));
  const ahead: number[] = [];
  for await (const _ of encodeInOrder(images, WEBP, signal)) ahead.push(begun.length);
  expect(ahead).toEqual([3, 4, 5, 6, 6, 6]);
  expect(before.slice(0, 3)).toEqual([0, 1, 2]);
  expect(Math.max(...before)).toBe(2);
});

test('the signal is looked at before each picture', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const { images, begun } = batch(5, (index) => index === 1 && controller.abort(reason));
  await expect(encodeInOrder(images, WEBP, controller.signal).next()).rejects.toBe(reason);
  expect(begun).toEqual([0, 1]);
  expect(inWork()).toBe(0);
});

test('a signal between two pictures ends the batch there', async () => {
  const controller = new AbortController();
  const { images, begun } = batch(5);
  const files = encodeInOrder(images, WEBP, controller.signal);
  await files.next();
  controller.abort(new Error('enough'));
  await expect(files.next()).rejects.toThrow('enough');
  expect(begun).toEqual([0, 1, 2]);
  expect(inWork()).toBe(0);
});

test('a picture that cannot be encoded is told in its turn', async () => {
  const { images } = batch(5);
  images[2] = { width: 2, height: 2, channels: 3, data: new Uint8Array(5) };
  const order: number[] = [];
  const all = async () => {
    for await (const { index } of encodeInOrder(images, WEBP, signal)) order.push(index);
  };
  const error = await all().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(LineageError);
  expect(error).toMatchObject({ code: 'image/shape' });
  expect(order).toEqual([0, 1]);
  expect(inWork()).toBe(0);
});

test('whoever leaves early leaves nothing at work', async () => {
  const { images, begun } = batch(6);
  // The second is still at work when the first is ready, on however slow a machine.
  images[1] = slow();
  const files = encodeInOrder(images, WEBP, signal);
  await files.next();
  expect(inWork()).toBeGreaterThan(0);
  expect(await files.return()).toEqual({ value: undefined, done: true });
  expect(inWork()).toBe(0);
  expect(begun).toEqual([0, 2]);
});

test('an empty batch has no files', async () => {
  expect(await encodeInOrder([], WEBP, signal).next()).toEqual({ value: undefined, done: true });
});
