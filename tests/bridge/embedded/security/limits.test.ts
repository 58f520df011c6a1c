import { connect } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, test } from 'vitest';
import { createTurns } from '../../../../bridge/embedded/files/take-turns.ts';
import { answering } from '../../../../bridge/embedded/http/answer.ts';
import { readJsonBody } from '../../../../bridge/embedded/http/json-body.ts';
import {
  JSON_BYTES_MAX,
  JSON_DEPTH_MAX,
  SERVER_LIMITS,
} from '../../../../bridge/embedded/security/server-limits.ts';
import { type Asking, serve, type TestServer } from '../files/file-server.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const echo = express.Router();
echo.use(
  answering(async (request, response) => {
    response.json({ got: await readJsonBody(request) });
  }),
);

async function post(asking: Asking) {
  server ??= await serve(echo);
  return await server.ask('/', { method: 'POST', ...asking });
}

/** Sends the start of a request and nothing more; gives what the server says before it hangs up. */
function dribble(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let said = '';
    socket.on('data', (part) => {
      said += part.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(said));
  });
}

describe('clients that are slow', () => {
  test('the server gives them seconds for their headers and minutes for the rest', () => {
    expect(SERVER_LIMITS.headersTimeout).toBeLessThanOrEqual(15_000);
    expect(SERVER_LIMITS.requestTimeout).toBeLessThanOrEqual(300_000);
    expect(SERVER_LIMITS.headersTimeout).toBeLessThan(SERVER_LIMITS.requestTimeout);
    expect(SERVER_LIMITS.maxHeaderSize).toBeLessThanOrEqual(16 * 1024);
  });

  // The same limits, each time shortened a thousandfold.
  test('headers that never end are answered with 408', async () => {
    server = await serve(echo, { ...SERVER_LIMITS, headersTimeout: 100, connectionsCheckingInterval: 20 });
    expect(await dribble(server.port, 'GET / HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n')).toMatch(
      /^HTTP\/1\.1 408 /,
    );
  });

  test('so is a body that never ends', async () => {
    const short = { headersTimeout: 50, requestTimeout: 100, connectionsCheckingInterval: 20 };
    server = await serve(echo, { ...SERVER_LIMITS, ...short });
    const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{';
    expect(await dribble(server.port, head)).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('requests that are large', () => {
  test('headers', async () => {
    const answer = await post({ headers: { 'x-long': 'x'.repeat(20_000) }, body: '{}' });
    expect(answer.status).toBe(431);
  });

  test('a body, said or not', async () => {
    const body = JSON.stringify('x'.repeat(JSON_BYTES_MAX));
    expect((await post({ body })).status).toBe(413);
    expect((await post({ body, headers: { 'transfer-encoding': 'chunked' } })).status).toBe(413);
    const fits = JSON.stringify('x'.repeat(JSON_BYTES_MAX - 2));
    expect((await post({ body: fits })).status).toBe(200);
  });

  test('a body of two lengths, by which a proxy and this server would see two requests', async () => {
    server = await serve(echo);
    const head =
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(await dribble(server.port, `${head}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('a body that nests', async () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect((await post({ body: nested(JSON_DEPTH_MAX) })).status).toBe(200);
    expect((await post({ body: nested(JSON_DEPTH_MAX + 1) })).status).toBe(400);
    expect((await post({ body: nested(1_000_000) })).status).toBe(400);
  });
});

describe('keys of the prototype', () => {
  test.each([
    '{"__proto__":{"polluted":1}}',
    '{"a":[{"b":{"__proto__":1}}]}',
    '{"\\u005f_proto__":1}',
    '{"a":1,"__proto__":null}',
  ])('%s is refused', async (body) => {
    expect((await post({ body })).status).toBe(400);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('words that only sound like it are words', async () => {
    const body = '{"constructor":1,"prototype":{"toString":2},"hasOwnProperty":"__proto__"}';
    expect((await post({ body })).text).toBe(`{"got":${body}}`);
  });

  test.each(['', '{', 'NaN', '{"a":Infinity}', '{} {}', '\u0000'])('%j is no JSON', async (body) => {
    expect((await post({ body })).status).toBe(400);
  });

  test('numbers keep their spelling', async () => {
    const body = '[5,5.0,18446744073709551615,1e400]';
    expect((await post({ body })).text).toBe(`{"got":${body}}`);
  });
});

describe('turns', () => {
  test('no more at a time than the limit, in order, also past failures', async () => {
    const inTurn = createTurns(2);
    const started: number[] = [];
    const ends: (() => void)[] = [];
    const runs = [0, 1, 2, 3, 4].map((n) =>
      inTurn(
        () =>
          new Promise<number>((resolve, reject) => {
            started.push(n);
            ends[n] = () => (n === 1 ? reject(new Error('one')) : resolve(n));
          }),
      ),
    );
    const settled = Promise.allSettled(runs);
    expect(started).toEqual([0, 1]);
    for (const [n, running] of [
      [1, [0, 1, 2]],
      [2, [0, 1, 2, 3]],
      [0, [0, 1, 2, 3, 4]],
    ] as const) {
      ends[n]?.();
      await expect.poll(() => started).toEqual(running);
    }
    ends[3]?.();
    ends[4]?.();
    expect((await settled).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
    // And the limit holds afterwards as before.
    let running = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
    };
    await Promise.all(Array.from({ length: 9 }, () => inTurn(work)));
    expect([running, most]).toEqual([0, 2]);
  });
});
