import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFileHasher } from '../../../bridge/local/hash-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'lineage-hash-'));
const hasher = createFileHasher();
afterAll(async () => {
  await hasher.close();
  rmSync(folder, { recursive: true });
});

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const pattern = Uint8Array.from({ length: 1_200_000 }, (_, i) => (i * 31 + (i >> 8) * 7) & 255);

function safetensors(header: string, tensors: Uint8Array): Uint8Array {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, tensors]);
}

/**
 * Expected values by Python's hashlib:
 *   pat = bytes((i*31 + (i>>8)*7) & 255 for i in range(1_200_000)); head = b'{"__metadata__":{"format":"pt"}}'
 *   d = struct.pack('<Q', len(head)) + head + pat
 *   h = lambda b: hashlib.sha256(b).hexdigest()
 *   print(h(d), h(d[0x100000:0x110000])[:8], h(d[8+len(head):])[:12])
 */
describe('hashes of known contents', () => {
  test.each([
    [
      'a safetensors file',
      safetensors('{"__metadata__":{"format":"pt"}}', pattern),
      '9c1e954bd8700c48460c40833cfbcf22a53e87b351ba9c953259787bf312fb8e',
      'e755513c',
      '07bfa3daab04',
    ],
    [
      'a file without such a header',
      pattern,
      '07bfa3daab04dec1d1fca0145e5117f1d3720328fb065d12505dda3b7566cebf',
      '79d7288b',
      undefined,
    ],
    [
      'a file shorter than the AutoV1 window',
      pattern.subarray(0, 0x100064),
      '0115bee04d4847ed392bd7ac77c61a093d8e2cad46af29b9be24ef4697ba13b1',
      '537cf60b',
      undefined,
    ],
    [
      'a small GGUF file',
      Buffer.concat([Buffer.from('GGUF'), pattern.subarray(0, 1000)]),
      '65f9596046dcb25e1ea1f9d495f7b35e10eb54f1ee8369924c5cabd755539285',
      'e3b0c442',
      undefined,
    ],
    [
      'an empty file',
      new Uint8Array(0),
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      'e3b0c442',
      undefined,
    ],
  ])('%s', async (name, bytes, sha256, autoV1, autoV3) => {
    const { hashes } = await hasher.hash(write(name, bytes));
    const autoV2 = sha256.slice(0, 10);
    expect(hashes).toEqual({ sha256, autoV1, autoV2, ...(autoV3 === undefined ? {} : { autoV3 }) });
  });

  test('the SHA-256 is the one that openssl gives', async () => {
    const path = write('openssl', pattern);
    const digest = execFileSync('openssl', ['dgst', '-sha256', '-r', path], { encoding: 'utf8' }).slice(
      0,
      64,
    );
    expect((await hasher.hash(path)).hashes.sha256).toBe(digest);
  });

  test.each([
    ['a length of more than the file', 4000n, '{"a":1}', 'x'.repeat(100)],
    ['a length of 2^63', 1n << 63n, '{"a":1}', 'x'],
    ['an empty header', 0n, '{', '}xxxxxx'],
    ['no JSON', 7n, '["a",1]', 'xxxx'],
  ])('no AutoV3 for %s', async (_, length, header, rest) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(length);
    const { hashes } = await hasher.hash(write('odd', Buffer.concat([bytes, Buffer.from(header + rest)])));
    expect(hashes.autoV3).toBeUndefined();
  });
});

test('any content: each hash is that of its slice, across chunk borders', async () => {
  const edges = [
    0, 1, 7, 8, 9, 0xffff8, 0x100000, 0x100001, 0x10ffff, 0x110000, 0x110001, 0x200000, 0x200010,
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...edges),
      fc.nat(40),
      fc.option(fc.oneof(fc.nat(100), fc.constantFrom(0xffff0, 0x100000)), { nil: undefined }),
      fc.nat(255),
      async (edge, more, padding, seed) => {
        const tensors = Uint8Array.from({ length: edge + more }, (_, i) => (i ^ (i >> 7) ^ seed) & 255);
        // 0x80 as the first byte of a length is fine, but 0xff in its eighth byte makes it no header.
        if (padding === undefined) tensors.fill(0xff, 0, 8);
        const bytes = padding === undefined ? tensors : safetensors(`{}${' '.repeat(padding)}`, tensors);
        const sha = (slice: Uint8Array): string => createHash('sha256').update(slice).digest('hex');
        const { hashes, dataSha256 } = await hasher.hash(write('any', bytes));
        expect(dataSha256).toBe(padding === undefined ? undefined : sha(tensors));
        expect(hashes).toEqual({
          sha256: sha(bytes),
          autoV1: sha(bytes.subarray(0x100000, 0x110000)).slice(0, 8),
          autoV2: sha(bytes).slice(0, 10),
          ...(padding === undefined ? {} : { autoV3: sha(tensors).slice(0, 12) }),
        });
      },
    ),
    { numRuns: 60 },
  );
});

describe('the thread', () => {
  let big = '';
  beforeAll(() => {
    big = join(folder, 'big');
    writeFileSync(big, '');
    truncateSync(big, 2 ** 32); // sparse: seconds of work, no disk
  });

  test('an abort rejects within 250 ms and frees the thread for the next file', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const started = Promise.withResolvers<void>();
    const onProgress = (bytes: number): void => {
      seen.push(bytes);
      started.resolve();
    };
    const hashing = hasher.hash(big, { signal: controller.signal, onProgress });
    await started.promise;
    const abortedAt = performance.now();
    controller.abort(new Error('enough'));
    await expect(hashing).rejects.toThrow('enough');
    expect(performance.now() - abortedAt).toBeLessThan(250);
    await hasher.hash(write('next', pattern));
    expect(performance.now() - abortedAt).toBeLessThan(1000);
    expect(seen[0]).toBe(16 << 20);
  });

  test('an aborted caller does not stop another that waits for the same read', async () => {
    const path = join(folder, 'shared');
    writeFileSync(path, '');
    truncateSync(path, 64 << 20);
    const controller = new AbortController();
    const totals: [string, number][] = [];
    const first = hasher.hash(path, {
      signal: controller.signal,
      onProgress: (n) => totals.push(['first', n]),
    });
    const second = hasher.hash(path, { onProgress: (n) => totals.push(['second', n]) });
    controller.abort();
    await expect(first).rejects.toThrow('aborted');
    const third = hasher.hash(path);
    const [a, b] = await Promise.all([second, third]);
    expect(a).toBe(b);
    // head -c 67108864 /dev/zero | sha256sum
    expect(a.hashes.sha256).toBe('3b6a07d0d404fab4e23b6d34bc6696a6a312dd92821332385e5af7c01c421351');
    // One read makes four reports; a second read would make eight.
    expect(totals.filter(([who]) => who === 'second')).toEqual(
      [16, 32, 48, 64].map((n) => ['second', n << 20]),
    );
  });

  test('who asks right after the last caller gave up gets an answer', async () => {
    const path = join(folder, 'twice');
    writeFileSync(path, '');
    truncateSync(path, 64 << 20);
    const controller = new AbortController();
    const first = hasher.hash(path, { signal: controller.signal });
    controller.abort();
    const second = hasher.hash(path);
    await expect(first).rejects.toThrow('aborted');
    await expect(second).resolves.toMatchObject({ hashes: { autoV1: expect.any(String) } });
  });

  test('a signal that is already aborted reads nothing', async () => {
    await expect(hasher.hash('/nowhere', { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
  });

  test('a file that keeps changing is refused after two attempts', async () => {
    const path = join(folder, 'growing');
    writeFileSync(path, '');
    truncateSync(path, 256 << 20);
    const attempts: number[] = [];
    const onProgress = (bytes: number): void => {
      if (bytes === 16 << 20) attempts.push(bytes);
      appendFileSync(path, 'x');
    };
    await expect(hasher.hash(path, { onProgress })).rejects.toMatchObject({
      code: 'file/unreadable',
      message: expect.stringContaining('changed while it was read'),
    });
    expect(attempts).toHaveLength(2);
  });

  test('a file that changed once is read again', async () => {
    const path = join(folder, 'settling');
    writeFileSync(path, '');
    truncateSync(path, 64 << 20);
    let appended = false;
    const onProgress = (): void => {
      if (!appended) appendFileSync(path, 'x');
      appended = true;
    };
    const { hashes, identity } = await hasher.hash(path, { onProgress });
    expect(identity.bytes).toBe(BigInt((64 << 20) + 1));
    expect(hashes.sha256).toBe(
      execFileSync('openssl', ['dgst', '-sha256', '-r', path], { encoding: 'utf8' }).slice(0, 64),
    );
  });

  test.each([
    ['a missing file', () => join(folder, 'none')],
    ['a folder', () => folder],
    ['a device', () => '/dev/null'],
  ])('%s is unreadable, and the next file is fine', async (_, path) => {
    await expect(hasher.hash(path())).rejects.toMatchObject({
      code: 'file/unreadable',
      where: { file: path() },
    });
    await expect(hasher.hash(write('fine', pattern))).resolves.toBeDefined();
  });

  test.skipIf(process.platform === 'win32')('a named pipe without a writer does not hang it', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(hasher.hash(pipe)).rejects.toMatchObject({ code: 'file/unreadable' });
  });

  test('closing rejects who waits; the hasher works again afterwards', async () => {
    const own = createFileHasher();
    const waiting = expect(own.hash(big)).rejects.toThrow('closed');
    await own.close();
    await waiting;
    await expect(own.hash(write('again', pattern))).resolves.toBeDefined();
    await own.close();
  });

  test('a process that hashed a file ends by itself, and so does one whose wait was aborted', () => {
    const module = new URL('../../../bridge/local/hash-file.ts', import.meta.url).href;
    const script = `const { createFileHasher } = await import(${JSON.stringify(module)});
      const hasher = createFileHasher();
      console.log((await hasher.hash(${JSON.stringify(write('one', pattern))})).hashes.autoV1);
      await hasher.hash(${JSON.stringify(big)}, { signal: AbortSignal.timeout(50) }).catch(() => console.log('stopped'));`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 10_000,
    });
    expect({ status: child.status, out: child.stdout, err: child.stderr }).toEqual({
      status: 0,
      out: '79d7288b\nstopped\n',
      err: '',
    });
  });
});
