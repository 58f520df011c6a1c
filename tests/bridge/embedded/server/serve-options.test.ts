import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { isLoopback, resolveServeOptions } from '../../../../bridge/embedded/serve-options.ts';

const TOKEN = 'x'.repeat(16);

test('puts everything below the base that is not put elsewhere', () => {
  const { folders, store, port, listen } = resolveServeOptions({ base: 'b', output: 'out', models: ['m'] });
  expect(folders).toEqual({
    input: resolve('b/input'),
    output: resolve('out'),
    temp: resolve('b/temp'),
    user: resolve('b/user'),
    models: [resolve('m')],
  });
  expect({ store, port, listen }).toEqual({
    store: join(folders.user, '__lineage', 'runtime.sqlite'),
    port: 8188,
    listen: ['127.0.0.1'],
  });
});

test('empties no folder that it did not make', () => {
  expect(resolveServeOptions({ base: 'b', temp: '/home' }).folders.temp).toBe('/home/temp');
});

test.each([
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['localhost', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.1.1', false],
  ['localhost.evil.com', false],
  ['127.0.0.1.evil.com', false],
  ['::ffff:127.0.0.1', false],
  ['', false],
])('%s is reached by this machine alone: %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
  const start = (): unknown => resolveServeOptions({ base: 'b', listen: [address] });
  if (expected) expect(start()).toBeDefined();
  else expect(start).toThrow(expect.objectContaining({ code: 'serve/exposed' }));
});

test('knows itself by the addresses that it listens on', () => {
  const options = { base: 'b', token: TOKEN, allowedHosts: ['name'] };
  expect(resolveServeOptions({ ...options, listen: ['192.0.2.1', '2001:db8::1'] }).allowedHosts).toEqual([
    'name',
    '192.0.2.1',
    '[2001:db8::1]',
  ]);
  expect(resolveServeOptions({ ...options, listen: ['0.0.0.0', '::'] }).allowedHosts).toEqual(['name']);
});

test.each(['http://name', 'name:8188', 'name/', '', 'a b', '[::1'])(
  '%j is no name that a client says',
  (host) => {
    const wrong = expect.objectContaining({ code: 'option/invalid', where: { option: '--allow-host' } });
    expect(() => resolveServeOptions({ base: 'b', allowedHosts: [host] })).toThrow(wrong);
  },
);

test('an IPv6 address may be allowed with and without brackets', () => {
  const { allowedHosts } = resolveServeOptions({ base: 'b', allowedHosts: ['fe80::1', '[fe80::2]'] });
  expect(allowedHosts).toEqual(['[fe80::1]', '[fe80::2]', '127.0.0.1']);
});
