import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../../../bridge/comfyui/messages.ts';
import { ExactNumber } from '../../../nodes/kit/exact-json.ts';
import type { Pixels } from '../../../nodes/kit/values.ts';
import {
  type BridgeUnderTest,
  connect,
  greet,
  runOf,
  settingsOf,
  startBridge,
  type Talk,
  talkOver,
} from './bridge-process.ts';

const started: BridgeUnderTest[] = [];
afterEach(() => {
  for (const { process: child, folders } of started.splice(0)) {
    child.kill('SIGKILL');
    rmSync(folders.home, { recursive: true, force: true });
  }
});

async function start(options: { loopback?: boolean } = {}): Promise<BridgeUnderTest> {
  const bridge = await startBridge(options);
  started.push(bridge);
  return bridge;
}

const picture = (value: number): Pixels => ({
  width: 3,
  height: 2,
  channels: 3,
  data: new Float32Array(18).fill(value),
});
const HASHED_BYTES = 256 * 1024 * 1024;
const json = (value: unknown): object => ({ kind: 'json', value });

describe('the way of a value', () => {
  test('pictures in, new pictures out, the unchanged named and not copied', async () => {
    const bridge = await start();
    const talk = await greet(bridge);
    const file = await bridge.exchange.writePixels([picture(0.25), picture(1)]);
    talk.send(runOf('LineageTestInvert', [['images', { kind: 'pixels', file }]]));
    expect((await talk.next('taken')).name).toBe(file.name);
    const { outputs, ui } = await talk.next('done');
    expect(outputs).toEqual([
      { kind: 'pixels', file: expect.anything() },
      { kind: 'same', input: 'images' },
    ]);
    expect(ui).toBeNull();
    const [first] = outputs;
    if (first?.kind !== 'pixels') throw new Error('pixels');
    expect(await bridge.exchange.readPixels(first.file)).toEqual([picture(0.75), picture(0)]);

    // Each side removes what it wrote; the folder is empty afterwards but for the lock of a true run.
    const shared = bridge.folders.scratch[1] ?? '';
    bridge.exchange.release(file.name);
    expect(readdirSync(shared)).toEqual([first.file.name]);
    talk.send({ kind: 'taken', name: first.file.name });
    talk.send(runOf('LineageTestEmpty', [['text', json('after')]], { id: 2 }));
    await talk.next('done');
    expect(readdirSync(shared)).toEqual([]);
  });

  test('handles, 64-bit numbers, numbers that JSON lacks, and plain data come back as they went', async () => {
    const bridge = await start();
    const talk = await greet(bridge);
    talk.send(
      runOf('LineageTestCarry', [
        ['latent', { kind: 'handle', id: 3, type: 'LATENT' }],
        ['any', json('text')],
        ['float', { kind: 'float', text: '-inf' }],
        ['int', json(new ExactNumber('18446744073709551615'))],
        ['extra', json({ a: 'b' })],
      ]),
    );
    expect((await talk.next('done')).outputs.filter(({ kind }) => kind !== 'pixels')).toEqual([
      { kind: 'handle', id: 3, type: 'LATENT' },
      json('text'),
      { kind: 'float', text: '-inf' },
      // This side's parser rounds; the Python tests look at every digit.
      json(2 ** 64),
      json({ a: 'b' }),
    ]);
  });

  test('what a node sees of its host', async () => {
    const bridge = await start();
    mkdirSync(join(bridge.folders.home, 'elsewhere'));
    writeFileSync(join(bridge.folders.home, 'elsewhere', 'tiny.safetensors'), 'model');
    const talk = await greet(bridge, { settings: { ...settingsOf(bridge), disableMetadata: true } });
    talk.send(
      runOf('LineageTestLook', [], {
        nodeId: '57:8',
        prompt: '{"4":{"class_type":"A","inputs":{"seed":18446744073709551615,"cfg":8.0}}}',
        extraPnginfo: '{"workflow":{"nodes":[]}}',
        executed: '[["4",0,5],["4",1,7.0],["4",2,"text"],["4",3,true],["4","x",1],"noise"]',
      }),
    );
    const { ui } = await talk.next('done');
    const text = String(ui?.['text']?.[0]);
    expect(text).toContain('"seed":18446744073709551615,"cfg":8.0');
    expect(text).toContain('"executed":[["4",0,5],["4",1,7.0],["4",2,"text"],["4",3,true]]');
    expect(JSON.parse(text)).toMatchObject({
      nodeId: '57:8',
      extraPnginfo: { workflow: { nodes: [] } },
      disableMetadata: true,
      model: { found: true, folder: 'checkpoints', bytes: 5 },
      polluted: false,
    });
  });

  test('several runs overlap, and each stops alone', async () => {
    const bridge = await start();
    const talk = await greet(bridge);
    const slow = (id: number) => runOf('LineageTestSlow', [['milliseconds', json(60_000)]], { id });
    talk.send(slow(1));
    talk.send(slow(2));
    talk.send(runOf('LineageTestEmpty', [['text', json('')]], { id: 3 }));
    expect((await talk.next('done')).id).toBe(3);
    const before = performance.now();
    talk.send({ kind: 'cancel', id: 2 });
    expect(await talk.next('failed')).toMatchObject({ id: 2, error: { code: 'interrupted' } });
    expect(performance.now() - before).toBeLessThan(100);
    talk.send({ kind: 'cancel', id: 1 });
    expect((await talk.next('failed')).id).toBe(1);
  });

  test('settings that change during a run are for the next one', async () => {
    const bridge = await start();
    const file = (name: string): string => join(bridge.folders.home, name, 'tiny.safetensors');
    for (const name of ['before', 'after']) {
      mkdirSync(join(bridge.folders.home, name));
      writeFileSync(file(name), name);
    }
    // Large enough to be hashed still when the settings arrive; zeros that take no room on the disk.
    truncateSync(file('before'), HASHED_BYTES);
    const settingsWith = (name: string): object => ({
      ...settingsOf(bridge),
      models: { checkpoints: [join(bridge.folders.home, name)] },
    });
    const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    const talk = await greet(bridge, { settings: settingsWith('before') });
    talk.send(runOf('LineageTestHash', [], { id: 1 }));
    await talk.next('progress');
    // By the end of a whole run beside it, the hashing has begun.
    talk.send(runOf('LineageTestEmpty', [['text', json('')]], { id: 2 }));
    expect((await talk.next('done')).id).toBe(2);
    talk.send({ kind: 'settings', settings: settingsWith('after') });
    talk.send(runOf('LineageTestHash', [], { id: 3 }));
    const ends = [await talk.next('done'), await talk.next('done')];
    const large = Buffer.alloc(HASHED_BYTES);
    large.write('before');
    expect(new Map(ends.map(({ id, ui }) => [id, ui]))).toEqual(
      new Map([
        [1, { text: [sha256(large)] }],
        [3, { text: [sha256(Buffer.from('after'))] }],
      ]),
    );
    expect(talk.waiting('log')).toEqual([]);
  });

  test('progress comes at most ten times a second, with its picture', async () => {
    const bridge = await start();
    const talk = await greet(bridge);
    talk.send(runOf('LineageTestSlow', [['milliseconds', json(1000)]]));
    const first = await talk.next('progress');
    if (!first.preview) throw new Error('a preview');
    expect(await bridge.exchange.readPixels(first.preview)).toMatchObject([
      { width: 64, height: 64, channels: 3 },
    ]);
    await talk.next('done');
    const rest = talk.waiting('progress');
    expect(rest.length).toBeGreaterThan(2);
    expect(rest.length).toBeLessThan(12);
    const last = rest.at(-1);
    expect(last?.kind === 'progress' && last.value).toBeGreaterThan(first.value);
  });
});

describe('failures', () => {
  let shared: BridgeUnderTest | undefined;
  let talk: Talk;
  beforeAll(async () => {
    shared = await startBridge();
    talk = await greet(shared);
  });
  afterAll(() => {
    shared?.process.kill('SIGKILL');
    rmSync(shared?.folders.home ?? '', { recursive: true, force: true });
  });

  test('an expected one has code, hint, place and stack; a bug says so', async () => {
    talk.send(runOf('LineageTestFail', [['how', json('expected')]]));
    expect((await talk.next('failed')).error).toMatchObject({
      code: 'image/shape',
      message: 'expected a square, got a circle',
      hint: expect.stringContaining('channels'),
      where: { node: '7' },
      stack: expect.stringMatching(/test-nodes\.ts:\d+/),
    });
    talk.send(runOf('LineageTestFail', [['how', json('bug')]]));
    expect((await talk.next('failed')).error.code).toBe('bug');
  });

  test.each([
    ['a node of another pack', runOf('KSampler', []), 'bridge/unknown-node'],
    ['a name of the prototype', runOf('__proto__', []), 'bridge/unknown-node'],
    ['a required input that is missing', runOf('LineageTestEmpty', []), 'nodes/wrong-input'],
    ['a number for a text', runOf('LineageTestEmpty', [['text', json(5)]]), 'nodes/wrong-input'],
    ['half a number', runOf('LineageTestSlow', [['milliseconds', json(0.5)]]), 'nodes/wrong-input'],
    ['a text for pictures', runOf('LineageTestInvert', [['images', json('x')]]), 'nodes/wrong-input'],
    ['a list for pictures', runOf('LineageTestInvert', [['images', json([1])]]), 'nodes/wrong-input'],
    [
      'a number beyond its range',
      runOf('LineageTestSlow', [['milliseconds', json(600_001)]]),
      'nodes/wrong-input',
    ],
    ['null among pictures', runOf('LineageTestInvert', [['images', json([null])]]), 'nodes/wrong-input'],
    [
      'a float that is no number',
      runOf('LineageTestSlow', [['milliseconds', { kind: 'float', text: 'nan' }]]),
      'nodes/wrong-input',
    ],
    [
      'a file that is not there',
      runOf('LineageTestInvert', [['images', { kind: 'pixels', file: { place: 0, name: 'a'.repeat(32) } }]]),
      'exchange/file',
    ],
  ])('%s', async (_, message, code) => {
    talk.send(message);
    expect((await talk.next('failed')).error.code).toBe(code);
  });

  test.each([
    ['LineageTestEmpty', 'text', { kind: 'handle', id: 1, type: 'LATENT' }, 'expected a text, got a LATENT'],
    ['LineageTestSlow', 'milliseconds', json(-1), 'expected a whole number from 0 to 600000, got -1'],
  ])('%s: what does not fit %s is named', async (node, input, value, message) => {
    talk.send(runOf(node, [[input, value]]));
    expect((await talk.next('failed')).error).toMatchObject({ message, where: { node: '7', input } });
  });
});

describe('attacks', () => {
  test('without the token, with another, from a browser, for another path: turned away', async () => {
    const bridge = await start();
    const right = { Authorization: `Bearer ${bridge.token}` };
    for (const headers of [
      {},
      { Authorization: `Bearer ${'0'.repeat(64)}` },
      { Authorization: bridge.token },
    ])
      await expect(connect(bridge, headers)).rejects.toThrow('401');
    for (const extra of [
      { Origin: 'http://evil.example' },
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'cross-site' },
    ])
      await expect(connect(bridge, { ...right, ...extra })).rejects.toThrow('403');
    const client = await connect(bridge, right);
    await expect(connect(bridge, right)).rejects.toThrow('409');
    client.terminate();
  });

  test('plain HTTP gets nothing', async () => {
    const bridge = await start();
    const [response] = await once(request({ socketPath: bridge.socket, path: '/' }).end(), 'response');
    expect(response.statusCode).toBe(404);
  });

  test('a port of this machine wants the token and its own host', async () => {
    const bridge = await start({ loopback: true });
    expect(bridge.port).toBeGreaterThan(0);
    await expect(connect(bridge, {})).rejects.toThrow('401');
    const rebound = { Authorization: `Bearer ${bridge.token}`, Host: 'evil.example' };
    await expect(connect(bridge, rebound)).rejects.toThrow('403');
    const talk = await greet(bridge);
    expect(await talk.next('welcome')).toMatchObject({ protocol: 3 });
  });

  test('the socket and its folder are this user’s alone', async () => {
    const bridge = await start();
    expect(lstatSync(bridge.socket).mode & 0o777).toBe(0o600);
    expect(lstatSync(bridge.folders.scratch[0] ?? '').mode & 0o777).toBe(0o700);
  });

  test('neither arguments nor environment nor output nor any node see the token', async () => {
    const bridge = await start();
    const talk = await greet(bridge);
    talk.send(runOf('LineageTestLook', []));
    const { ui } = await talk.next('done');
    for (const file of ['cmdline', 'environ'])
      expect(readFileSync(`/proc/${bridge.process.pid}/${file}`, 'utf8')).not.toContain(bridge.token);
    expect(`${bridge.said()}${JSON.stringify(ui)}`).not.toContain(bridge.token);
  });

  test.each([
    ['another protocol', { protocol: 1 }, 'different versions'],
    ['another version', { version: '9.9.9' }, 'different versions'],
    ['settings with something more', { extra: 1 }, 'bridge/protocol'],
    [
      'a run first',
      { kind: 'cancel', id: 1, protocol: undefined, version: undefined, settings: undefined },
      'one hello',
    ],
  ])('a handshake with %s ends the connection, and the bridge', async (_, changes, reason) => {
    const bridge = await start();
    const talk = await greet(bridge, changes);
    const [code, said] = await talk.closed;
    expect({ code, said }).toEqual({ code: 1002, said: expect.stringContaining(reason) });
    if (bridge.process.exitCode === null) await once(bridge.process, 'exit');
  });

  test.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['an unknown kind', '{"kind":"shutdown"}'],
    [
      'a path for a name',
      JSON.stringify(
        runOf('LineageTestInvert', [
          ['images', { kind: 'pixels', file: { place: 0, name: '../../etc/passwd' } }],
        ]),
      ),
    ],
    [
      'a folder that is none',
      JSON.stringify(
        runOf('LineageTestInvert', [
          ['images', { kind: 'pixels', file: { place: 7, name: 'a'.repeat(32) } }],
        ]),
      ),
    ],
    [
      'a depth that no message has',
      `{"kind":"run","id":1,"inputs":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
    ],
  ])('%s ends the connection', async (_, text) => {
    const talk = await greet(await start());
    await talk.next('welcome');
    talk.sendText(text);
    const [code] = await talk.closed;
    expect(code).toBe(1002);
  });

  test('a message beyond all bounds, and one that is no text, end the connection', async () => {
    const large = await greet(await start());
    await large.next('welcome');
    large.sendText('x'.repeat(MAX_MESSAGE_BYTES + 1));
    expect((await large.closed)[0]).toBe(1009);
    const bridge = await start();
    const client = await connect(bridge);
    const talk = talkOver(client);
    client.send(Buffer.from('{}'));
    expect((await talk.closed)[0]).toBe(1003);
  });

  test('a text is kept until it is forgotten, and a run that names none fails alone', async () => {
    const talk = await greet(await start());
    talk.send({ kind: 'keep', text: 50, content: '{"a":1}' });
    talk.send(runOf('LineageTestLook', [], { id: 1, prompt: 50, extraPnginfo: 50 }));
    talk.send({ kind: 'forget', text: 50 });
    talk.send(runOf('LineageTestLook', [], { id: 2, prompt: 50, extraPnginfo: 50 }));
    expect(await talk.next('failed')).toMatchObject({ id: 2, error: { code: 'bridge/protocol' } });
    expect(await talk.next('done')).toMatchObject({ id: 1 });
  });

  test('a file that cannot be removed is told of, and the bridge goes on', async () => {
    const bridge = await start();
    const talk = await greet(bridge);
    const file = await bridge.exchange.writePixels([picture(0.25)]);
    talk.send(runOf('LineageTestInvert', [['images', { kind: 'pixels', file }]]));
    const [output] = (await talk.next('done')).outputs;
    if (output?.kind !== 'pixels') throw new Error('pixels');
    // A folder in its place: nothing that is a file's can remove it.
    const path = join(bridge.folders.scratch[1] ?? '', output.file.name);
    rmSync(path);
    mkdirSync(path);
    talk.send({ kind: 'taken', name: output.file.name });
    expect(await talk.next('log')).toMatchObject({
      level: 'error',
      message: expect.stringMatching(/unlink/),
    });
    talk.send(runOf('LineageTestEmpty', [['text', json('after')]], { id: 2 }));
    expect((await talk.next('done')).id).toBe(2);
  });

  test('names of the prototype are names like others', async () => {
    const talk = await greet(await start());
    const hostile = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
    talk.send(
      runOf('LineageTestLook', [['__proto__', json({ polluted: true })]], {
        prompt: hostile,
        extraPnginfo: hostile,
        executed: '[["__proto__",0,"x"]]',
      }),
    );
    const { ui } = await talk.next('done');
    expect(JSON.parse(String(ui?.['text']?.[0]))).toMatchObject({ polluted: false });
  });

  test('a link in the exchange folder is not followed', async () => {
    const bridge = await start();
    const talk = await greet(bridge);
    const file = await bridge.exchange.writePixels([picture(0.5)]);
    const shared = bridge.folders.scratch[1] ?? '';
    symlinkSync(join(shared, file.name), join(shared, 'b'.repeat(32)));
    talk.send(
      runOf('LineageTestInvert', [['images', { kind: 'pixels', file: { place: 0, name: 'b'.repeat(32) } }]]),
    );
    expect((await talk.next('failed')).error.code).toBe('exchange/file');
  });

  test('nobody but its owner has a file removed', async () => {
    const bridge = await start();
    const talk = await greet(bridge);
    const file = await bridge.exchange.writePixels([picture(0.5)]);
    for (const name of [file.name, '../lineage-1-run/bridge.sock']) talk.send({ kind: 'taken', name });
    talk.send(runOf('LineageTestEmpty', [['text', json('')]]));
    await talk.next('done');
    expect(readdirSync(bridge.folders.scratch[1] ?? '')).toEqual([file.name]);
    expect(existsSync(bridge.socket)).toBe(true);
  });
});

describe('the end', () => {
  test('when the pipe ends, so does the bridge, and its folders go', async () => {
    const bridge = await start();
    const talk = await greet(bridge);
    talk.send(runOf('LineageTestSlow', [['milliseconds', json(60_000)]]));
    await talk.next('progress');
    bridge.process.stdin.end();
    expect(await once(bridge.process, 'exit')).toEqual([0, null]);
    expect(bridge.folders.scratch.filter((folder) => existsSync(folder))).toEqual([]);
  });

  test('when its client is gone, too', async () => {
    const bridge = await start();
    const client = await connect(bridge);
    client.terminate();
    expect(await once(bridge.process, 'exit')).toEqual([0, null]);
  });
});
