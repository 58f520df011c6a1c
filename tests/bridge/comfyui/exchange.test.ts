import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createExchange } from '../../../bridge/comfyui/exchange.ts';
import { writeHead } from '../../../bridge/comfyui/raw-file.ts';
import type { Pixels } from '../../../nodes/kit/values.ts';

const top = mkdtempSync(join(tmpdir(), 'lineage-exchange-'));
afterAll(() => rmSync(top, { recursive: true }));

let folders: readonly [string, string] = ['', ''];
beforeEach(() => {
  const each = mkdtempSync(join(top, 'case-'));
  folders = [join(each, 'a'), join(each, 'b')];
  for (const folder of folders) mkdirSync(folder, { mode: 0o700 });
});

const floats = (...data: number[]): Pixels => ({
  width: 2,
  height: 1,
  channels: 1,
  data: Float32Array.from(data),
});
const HEX = '0123456789abcdef0123456789abcdef';

test('a batch of floats comes back bit for bit, each picture in memory of its own', async () => {
  const exchange = createExchange(folders);
  const batch = [floats(0, 1 / 3), floats(Number.NaN, -1e30)];
  const read = await exchange.readPixels(await exchange.writePixels(batch));
  expect(read).toEqual(batch);
  expect(read[0]?.data.buffer).not.toBe(read[1]?.data.buffer);
});

test('8-bit samples of a view into a larger buffer come back', async () => {
  const exchange = createExchange(folders);
  const data = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
  const batch = [{ width: 1, height: 1, channels: 3, data } as const];
  expect(await exchange.readPixels(await exchange.writePixels(batch))).toEqual(batch);
});

test('memory of a picture that was read is used again, and whoever kept it finds it empty', async () => {
  const exchange = createExchange(folders);
  const large = (value: number): Pixels => ({
    width: 1024,
    height: 512,
    channels: 1,
    data: new Float32Array(1024 * 512).fill(value),
  });
  const [first] = await exchange.readPixels(await exchange.writePixels([large(1)]));
  const kept = first?.data;
  exchange.recycle(first ? [first, large(5)] : []);
  expect(kept?.length).toBe(0);
  expect(await exchange.readPixels(await exchange.writePixels([large(2)]))).toEqual([large(2)]);
  expect(kept?.length).toBe(0);
});

test.each([0, 1, 5000])('%i bytes come back', async (length) => {
  const exchange = createExchange(folders);
  const bytes = new Uint8Array(length).fill(7);
  expect(await exchange.readBytes(await exchange.writeBytes(bytes))).toEqual(bytes);
});

test('files are this user’s alone, of the size that their head says, and have names nobody guesses', async () => {
  const exchange = createExchange(folders);
  const file = await exchange.writePixels([floats(1, 2)]);
  expect(file).toMatchObject({ place: 0, name: expect.stringMatching(/^[0-9a-f]{32}$/) });
  const state = statSync(join(folders[0], file.name));
  expect({ mode: state.mode & 0o777, size: state.size }).toEqual({ mode: 0o600, size: 64 + 8 });
  expect((await exchange.writePixels([floats(1, 2)])).name).not.toBe(file.name);
});

test('only what was made here is removed, once', async () => {
  const exchange = createExchange(folders);
  writeFileSync(join(folders[0], HEX), 'of the other side');
  const file = await exchange.writePixels([floats(1, 2)]);
  exchange.release(HEX);
  exchange.release('../a');
  exchange.release(file.name);
  exchange.release(file.name);
  expect(readdirSync(folders[0])).toEqual([HEX]);
});

test('a large file that was read is written over by the next of its size, and goes when none comes', async () => {
  const exchange = createExchange(folders);
  const large = (value: number): Pixels => ({
    width: 1024,
    height: 512,
    channels: 1,
    data: new Float32Array(1024 * 512).fill(value),
  });
  const first = await exchange.writePixels([large(1)]);
  const second = await exchange.writePixels([large(2)]);
  const { ino } = statSync(join(folders[0], first.name));
  exchange.release(first.name);
  const third = await exchange.writePixels([large(3)]);
  expect(statSync(join(folders[0], third.name)).ino).toBe(ino);
  // Whoever still holds on to the old name can neither read nor remove what now lies there.
  exchange.release(first.name);
  await expect(exchange.readPixels(first)).rejects.toMatchObject({ code: 'exchange/file' });
  expect((await exchange.readPixels(third))[0]?.data[7]).toBe(3);
  expect((await exchange.readPixels(second))[0]?.data[7]).toBe(2);
  for (const { name } of [third, second, third]) exchange.release(name);
  await expect.poll(() => readdirSync(folders[0]), { timeout: 5000 }).toEqual([]);
});

test('a kept file that cannot be written over is dropped, with a code', async () => {
  const exchange = createExchange(folders);
  const bytes = new Uint8Array(1 << 20);
  const kept = await exchange.writeBytes(bytes);
  exchange.release(kept.name);
  rmSync(join(folders[0], kept.name));
  symlinkSync('/dev/null', join(folders[0], kept.name));
  await expect(exchange.writeBytes(bytes)).rejects.toMatchObject({ code: 'exchange/file' });
  expect(folders.flatMap((folder) => readdirSync(folder))).toEqual([]);
});

test('a kept file that is gone is made anew', async () => {
  const exchange = createExchange(folders);
  const bytes = new Uint8Array(1 << 20).fill(3);
  const kept = await exchange.writeBytes(bytes);
  exchange.release(kept.name);
  rmSync(join(folders[0], kept.name));
  const file = await exchange.writeBytes(bytes);
  expect(await exchange.readBytes(file)).toEqual(bytes);
  exchange.release(file.name);
});

test('where no file can be made at all, there is a code', async () => {
  const exchange = createExchange([join(top, 'nowhere')]);
  await expect(exchange.writeBytes(new Uint8Array(3))).rejects.toMatchObject({ code: 'exchange/file' });
});

test('pictures of different shapes, types or sizes are not written', async () => {
  const exchange = createExchange(folders);
  const other = { width: 1, height: 2, channels: 1, data: new Float32Array(2) } as const;
  const bytes = { width: 2, height: 1, channels: 1, data: new Uint8Array(2) } as const;
  const short = { width: 2, height: 1, channels: 1, data: new Float32Array(1) } as const;
  for (const batch of [[], [floats(1, 2), other], [floats(1, 2), bytes], [short]])
    await expect(exchange.writePixels(batch)).rejects.toMatchObject({ code: 'image/shape' });
  expect(readdirSync(folders[0])).toEqual([]);
});

describe('attacks', () => {
  const body = new Uint8Array(8);
  const whole = Buffer.concat([
    writeHead({ kind: 'float32', batch: 1, height: 1, width: 2, channels: 1 }),
    body,
  ]);
  const read = (name: string, place = 0) => createExchange(folders).readPixels({ place, name });

  test('the file that the attacks bend is fine by itself', async () => {
    writeFileSync(join(folders[0], HEX), whole);
    expect(await read(HEX)).toEqual([floats(0, 0)]);
  });

  test.each(['../a/x', '/etc/passwd', 'a'.repeat(31), `${HEX}0`, HEX.toUpperCase(), `${HEX}\0`, '..', ''])(
    'a path instead of a name: %j',
    async (name) => {
      writeFileSync(join(folders[1], HEX), whole);
      await expect(read(name)).rejects.toMatchObject({ code: 'exchange/name' });
    },
  );

  test.each([-1, 2, 0.5])('a folder that is none: %d', async (place) => {
    await expect(read(HEX, place)).rejects.toMatchObject({ code: 'exchange/name' });
  });

  test('a link, symbolic or hard, to a file elsewhere', async () => {
    const secret = join(folders[1], 'secret');
    writeFileSync(secret, whole);
    symlinkSync(secret, join(folders[0], HEX));
    await expect(read(HEX)).rejects.toMatchObject({ code: 'exchange/file' });
    rmSync(join(folders[0], HEX));
    linkSync(secret, join(folders[0], HEX));
    await expect(read(HEX)).rejects.toMatchObject({ code: 'exchange/file' });
  });

  test('a folder, an empty file, bytes for pixels, a file that lies about its size', async () => {
    mkdirSync(join(folders[0], HEX));
    await expect(read(HEX)).rejects.toMatchObject({ code: 'exchange/file' });
    rmSync(join(folders[0], HEX), { recursive: true });
    for (const bytes of [
      '',
      whole.subarray(0, 70),
      Buffer.concat([whole, body]),
      writeHead({ kind: 'bytes', length: 0 }),
    ]) {
      writeFileSync(join(folders[0], HEX), bytes);
      await expect(read(HEX)).rejects.toMatchObject({ code: 'exchange/file' });
    }
  });

  test('a file of a terabyte of holes takes no memory', async () => {
    writeFileSync(
      join(folders[0], HEX),
      writeHead({ kind: 'uint8', batch: 2 ** 20, height: 1024, width: 1024, channels: 1 }),
    );
    truncateSync(join(folders[0], HEX), 64 + 2 ** 40);
    await expect(read(HEX)).rejects.toMatchObject({ code: 'exchange/file' });
  });

  test('a message names the file, not its path', async () => {
    const failure = await read(HEX).catch((error: unknown) => error);
    expect(String(failure)).not.toContain(top);
  });
});
