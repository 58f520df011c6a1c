import { describe, expect, test } from 'vitest';
import { VOLATILE } from '../../../../bridge/embedded/execution/caches/cache.ts';
import type { CacheChoice } from '../../../../bridge/embedded/execution/caches/create-cache.ts';
import { createLruCache } from '../../../../bridge/embedded/execution/caches/lru.ts';
import { createRamCache } from '../../../../bridge/embedded/execution/caches/ram.ts';
import { createRunningPrompt } from '../../../../bridge/embedded/execution/dynamic-prompt.ts';
import { createShapes } from '../../../../bridge/embedded/execution/node-shape.ts';
import { createSignatures } from '../../../../bridge/embedded/execution/signature.ts';
import { ExactNumber } from '../../../../nodes/kit/exact-json.ts';
import { at, createBench, inputs, MakeList, nodeClass, Show, Sum, Value } from './harness.ts';

const out = (from: string) => at('Show', { value: [from, 0] });

describe('what is the same result', () => {
  /** Whether a node runs anew when its literal changes from one to the other. */
  async function runsAnew(first: unknown, second: unknown): Promise<boolean> {
    const bench = createBench([Value, Show]);
    await bench.run({ v: at('Value', { value: first }), out: out('v') });
    await bench.run({ v: at('Value', { value: second }), out: out('v') });
    return bench.ran().includes('v');
  }

  // As Python compares: 1 == 1.0 == True, 2**53 != 2**53 + 1, 1e22 == 10**22.
  test.each([
    [1, new ExactNumber('1.0')],
    [1, true],
    [0, false],
    [0, new ExactNumber('-0.0')],
    [new ExactNumber('-0'), 0],
    [new ExactNumber('1e22'), new ExactNumber('10000000000000000000000')],
    [new ExactNumber('1E2'), 100],
    [
      { a: 1, b: [2] },
      { b: [new ExactNumber('2.0')], a: true },
    ],
  ])('%o is %o', async (first, second) => expect(await runsAnew(first, second)).toBe(false));

  test.each([
    [new ExactNumber('9007199254740993'), new ExactNumber('9007199254740992')],
    [1, '1'],
    [0, null],
    [0, ''],
    [
      [1, 2],
      [2, 1],
    ],
    [[], {}],
    [['a', 'b'], ['a,b']],
    [{ a: { b: 1 } }, { a: 1, b: 1 }],
    ['a\nb=1', 'a'],
  ])('%o is not %o', async (first, second) => expect(await runsAnew(first, second)).toBe(true));

  test('equal graphs under other ids; the second of two in one prompt takes the first result', async () => {
    const bench = createBench([Value, Sum, Show]);
    await bench.run({
      a: at('Value', { value: 2 }),
      s: at('Sum', { a: ['a', 0] }),
      b: at('Value', { value: 2 }),
      t: at('Sum', { a: ['b', 0] }),
      one: out('s'),
      two: out('t'),
    });
    expect(bench.ran()).toHaveLength(3);
    // Everyone shows its output, the one that took it from the other too.
    expect(bench.of('executed').filter((data) => ['one', 'two'].includes(String(data['node'])))).toHaveLength(
      2,
    );
    const outcome = await bench.run({
      x: at('Value', { value: 2 }),
      y: at('Sum', { a: ['x', 0] }),
      z: out('y'),
    });
    expect(bench.of('execution_cached')[0]?.['nodes']).toEqual(['x', 'y', 'z']);
    expect(outcome.meta['z']).toMatchObject({ node_id: 'z', display_node: 'z' });
  });

  test('which slot and which input a link joins, and the class, matter', async () => {
    const Two = nodeClass('Two', {
      outputs: [
        { type: '*', name: 'a' },
        { type: '*', name: 'b' },
      ],
      run: () => ({ outputs: [1, 2] }),
    });
    const Value2 = { ...Value, id: 'Value2' };
    const bench = createBench([Two, Sum, Show, Value, Value2]);
    const run = (prompt: Parameters<typeof bench.run>[0]) => bench.run(prompt).then(() => bench.ran());
    await run({ t: at('Two'), s: at('Sum', { a: ['t', 0] }), o: out('s') });
    expect(await run({ t: at('Two'), s: at('Sum', { a: ['t', 1] }), o: out('s') })).toEqual(['s', 'o']);
    expect(await run({ t: at('Two'), s: at('Sum', { b: ['t', 1] }), o: out('s') })).toEqual(['s', 'o']);
    await run({ v: at('Value', { value: 1 }), o: out('v') });
    expect(await run({ v: at('Value2', { value: 1 }), o: out('v') })).toEqual(['v', 'o']);
  });

  test.each([
    ['notIdempotent', { notIdempotent: true }],
    ['a hidden UNIQUE_ID', { hidden: { me: 'UNIQUE_ID' } }],
  ])('%s: never shared between nodes, also not what hangs on it; kept for itself', async (_name, rest) => {
    const Own = nodeClass('Own', { ...rest, run: () => ({ outputs: [1] }) });
    const bench = createBench([Own, Sum, Show]);
    const prompt = {
      a: at('Own'),
      b: at('Own'),
      s: at('Sum', { a: ['a', 0] }),
      t: at('Sum', { a: ['b', 0] }),
      one: out('s'),
      two: out('t'),
    };
    await bench.run(prompt);
    expect(bench.ran()).toHaveLength(6);
    await bench.run(prompt);
    expect(bench.ran()).toEqual([]);
  });

  test('values that are no data are never kept for another job', async () => {
    const Grow = nodeClass('Grow', {
      required: inputs('n'),
      run: () => ({ expand: { v: at('Value', { value: new Uint8Array(1) }) }, outputs: [['v', 0]] }),
      fingerprint: () => Number.NaN,
    });
    const bench = createBench([Grow, Value, Show]);
    const prompt = { g: at('Grow', { n: 1 }), out: out('g') };
    await bench.run(prompt);
    await bench.run(prompt);
    expect(bench.ran()).toEqual(['g', 'g.0.0.v', 'out']);
  });
});

describe('fingerprints', () => {
  test('see literals as values and links as undefined, and decide with the inputs', async () => {
    const seen: unknown[] = [];
    let print: unknown = 1;
    const Prints = nodeClass('Prints', {
      required: inputs('x', 'n:INT'),
      hidden: { id: 'UNIQUE_ID' },
      fingerprint: (given) => {
        seen.push({ ...given });
        return print;
      },
      run: ({ x }) => ({ outputs: [x] }),
    });
    const bench = createBench([Prints, Value, Show]);
    const prompt = {
      v: at('Value', { value: 2 }),
      p: at('Prints', { x: ['v', 0], n: new ExactNumber('18446744073709551615') }),
      out: out('p'),
    };
    await bench.run(prompt);
    expect(seen).toEqual([{ x: undefined, n: 18446744073709551615n, id: 'p' }]);
    await bench.run(prompt);
    expect(bench.ran()).toEqual([]);
    print = 2;
    await bench.run(prompt);
    expect(bench.ran()).toEqual(['p', 'out']);
  });

  test.each([
    ['NaN', () => Number.NaN],
    [
      'an error',
      () => {
        throw new Error('no print');
      },
    ],
    ['a rejection', () => Promise.reject(new Error('no print'))],
  ])('%s: always runs, with all below it', async (_name, fingerprint) => {
    const Prints = nodeClass('Prints', { fingerprint, run: () => ({ outputs: [1] }) });
    const bench = createBench([Prints, Sum, Show]);
    const prompt = { p: at('Prints'), s: at('Sum', { a: ['p', 0] }), out: out('s'), again: out('p') };
    await bench.run(prompt);
    await bench.run(prompt);
    expect(new Set(bench.ran())).toEqual(new Set(['p', 's', 'out', 'again']));
    expect(bench.logged.filter((line) => line.includes('no print')).length).toBe(_name === 'NaN' ? 0 : 2);
  });

  test('may be asynchronous', async () => {
    const Prints = nodeClass('Prints', {
      fingerprint: () => new Promise(setImmediate).then(() => 'same'),
      run: () => ({ outputs: [1] }),
    });
    const bench = createBench([Prints, Show]);
    const prompt = { p: at('Prints'), out: out('p') };
    await bench.run(prompt);
    await bench.run(prompt);
    expect(bench.ran()).toEqual([]);
  });
});

describe('policies', () => {
  const first = { a: at('Value', { value: 'a' }), out: out('a') };
  const second = { b: at('Value', { value: 'b' }), out: out('b') };

  const third = { c: at('Value', { value: 'c' }), out: out('c') };

  /** What runs when the first prompt comes back after two others. */
  async function ranAgain(cache: CacheChoice): Promise<readonly unknown[]> {
    const bench = createBench([Value, Show], cache);
    await bench.run(first);
    await bench.run(second);
    await bench.run(third);
    await bench.run(first);
    return bench.ran();
  }

  test('classic keeps what the last prompt used', async () => {
    expect(await ranAgain({ kind: 'classic' })).toEqual(['a', 'out']);
  });
  test('LRU keeps so many results; 0 is classic', async () => {
    expect(await ranAgain({ kind: 'lru', size: 100 })).toEqual([]);
    expect(await ranAgain({ kind: 'lru', size: 2 })).toEqual(['a', 'out']);
    expect(await ranAgain({ kind: 'lru', size: 0 })).toEqual(['a', 'out']);
  });
  test('RAM keeps all while there is room', async () => {
    expect(await ranAgain({ kind: 'ram', headroomGiB: 0 })).toEqual([]);
  });
  test('none keeps nothing, and results still reach whoever waits for them', async () => {
    expect(await ranAgain({ kind: 'none' })).toEqual(['a', 'out']);
  });

  test('freeMemory drops all', async () => {
    for (const cache of [{ kind: 'classic' }, { kind: 'lru', size: 9 }] as const) {
      const bench = createBench([Value, Show], cache);
      await bench.run(first);
      bench.executor.freeMemory();
      await bench.run(first);
      expect(bench.ran()).toEqual(['a', 'out']);
    }
  });

  test('classic keeps expansions with their node, though the node itself ran anew', async () => {
    const Grow = nodeClass('Grow', {
      required: inputs('n'),
      run: ({ n }) => ({
        expand: {
          v: at('Value', { value: 'same' }),
          w: at('Value', { value: n }),
          l: at('Sum', { a: ['w', 0] }),
        },
        outputs: [['v', 0]],
      }),
    });
    const bench = createBench([Grow, Value, Show, Sum]);
    await bench.run({ g: at('Grow', { n: 1 }), out: out('g') });
    await bench.run({ g: at('Grow', { n: 2 }), out: out('g') });
    expect(bench.ran()).toEqual(['g', 'out']);
    expect(bench.of('executed').map((data) => data['node'])).not.toContain('g.0.0.v');
  });

  test('without a cache a lazy input asked for later runs its source again only if it is gone', async () => {
    const Late = nodeClass('Late', {
      required: inputs('a', 'b?'),
      terminal: true,
      checkLazy: ({ b }) => (b === undefined ? ['b'] : []),
      run: ({ a, b }) => ({ ui: { values: [a, b] } }),
    });
    const bench = createBench([Late, Value], { kind: 'none' });
    const outcome = await bench.run({
      v: at('Value', { value: 1 }),
      l: at('Late', { a: ['v', 0], b: ['v', 0] }),
    });
    expect(outcome.outputs['l']).toEqual({ values: [1, 1] });
    expect(bench.ran().filter((id) => id === 'v')).toHaveLength(1);
  });
});

test('what can never be found again is marked, so that caches drop it', () => {
  const prompt = createRunningPrompt({
    odd: at('Value', { value: Number.NaN }),
    below: at('Sum', { a: ['odd', 0] }),
    dangling: at('Sum', { a: ['gone', 0] }),
    round: at('Sum', { a: ['trip', 0] }),
    trip: at('Sum', { a: ['round', 0] }),
    fine: at('Sum', { a: 1 }),
  });
  const shapeOf = createShapes(
    new Map([Value, Sum].map((node) => [node.id, { ...node, pythonModule: 'nodes' }])),
  );
  const { keyOf } = createSignatures(prompt, shapeOf, () => 'none');
  const marked = Object.keys(prompt.original).filter((id) => keyOf(id).startsWith(VOLATILE));
  expect(marked).toEqual(['odd', 'below', 'dangling', 'round', 'trip']);
});

describe('one cache', () => {
  const node = (id: string) => ({ id, classType: 'C', key: `key-${id}` });
  const entry = (bytes = 0) => ({ outputs: [[{ data: new Uint8Array(bytes) }]] });

  test('LRU drops the oldest job first, and counts a look as use', () => {
    const cache = createLruCache(2);
    cache.openJob([node('a'), node('b')]);
    cache.store('a', entry());
    cache.store('b', entry());
    cache.openJob([node('a'), node('c')]);
    cache.store('c', entry());
    cache.openJob([node('d')]);
    cache.openJob([node('a'), node('b'), node('c')]);
    expect(['a', 'b', 'c'].map((id) => cache.find(id) !== undefined)).toEqual([true, false, true]);
  });

  test('RAM: the largest goes first, the older weighs more, and not more goes than is needed', () => {
    const GIB = 1024 ** 3;
    let free = 2 * GIB;
    const cache = createRamCache(1, () => free);
    const big = { outputs: [[{ data: new Uint8Array(300 * 1024 ** 2) }]] };
    cache.openJob([node('big'), node('small'), node('tiny')]);
    cache.store('big', big);
    cache.store('small', entry(1000));
    cache.store('tiny', entry());
    cache.relieve();
    expect(cache.find('big')).toBeDefined();
    free = 0.9 * GIB;
    const later = performance.now() + 60;
    while (performance.now() < later);
    cache.relieve();
    expect(['big', 'small', 'tiny'].map((id) => cache.find(id) !== undefined)).toEqual([false, true, true]);
  });

  test('nothing has a place before it was announced', () => {
    for (const cache of [createLruCache(2), createRamCache(0, () => 1)]) {
      cache.store('x', entry());
      expect(cache.find('x')).toBeUndefined();
    }
  });
});

test('execution_cached names every node of the prompt whose key hits, needed or not', async () => {
  const bench = createBench([Value, Sum, Show, MakeList]);
  const prompt = { a: at('Value', { value: 1 }), s: at('Sum', { a: ['a', 0] }), out: out('s') };
  await bench.run(prompt);
  await bench.run({ ...prompt, spare: at('Value', { value: 1 }), late: at('Value', { value: 2 }) });
  expect(bench.of('execution_cached')[0]?.['nodes']).toEqual(['a', 's', 'out', 'spare']);
});
