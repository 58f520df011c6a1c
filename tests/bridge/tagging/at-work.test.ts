import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createByteBudget } from '../../../bridge/tagging/byte-budget.ts';
import { inOrder } from '../../../nodes/kit/in-order.ts';

const never = new AbortController().signal;

async function* listOf<T>(things: readonly T[]): AsyncGenerator<T> {
  yield* things;
}

async function wait(turns: number): Promise<void> {
  for (let at = 0; at < turns; at++) await turn();
}

describe('things at work', () => {
  test('come out in their order, and no more than asked for are at work', async () => {
    const run = fc.record({
      turns: fc.array(fc.nat({ max: 6 }), { maxLength: 30 }),
      jobs: fc.integer({ min: 1, max: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(run, async ({ turns, jobs }) => {
        let atWork = 0;
        let most = 0;
        const results: number[] = [];
        const work = async (at: number): Promise<number> => {
          most = Math.max(most, ++atWork);
          await wait(turns[at] ?? 0);
          atWork--;
          return at;
        };
        for await (const at of inOrder(listOf([...turns.keys()]), jobs, never, work)) results.push(at);
        expect(results).toEqual([...turns.keys()]);
        expect(most).toBeLessThanOrEqual(jobs);
      }),
      { numRuns: 60 },
    );
  });

  test('as many as asked for are at work, and no more are taken', async () => {
    let taken = 0;
    async function* things(): AsyncGenerator<number> {
      for (; taken < 100; ) yield taken++;
    }
    const { promise, resolve } = Promise.withResolvers<number>();
    const running = inOrder(things(), 5, never, () => promise);
    const first = running.next();
    await wait(20);
    expect(taken).toBe(5);
    resolve(1);
    expect(await first).toEqual({ value: 1, done: false });
    await running.return();
    expect(taken).toBe(5);
  });

  test('what is thrown ends it, once those at work are done', async () => {
    let done = 0;
    const work = async (at: number): Promise<number> => {
      await wait(at === 1 ? 1 : 5);
      if (at === 1) throw new Error('broken');
      done++;
      return at;
    };
    const run = async (): Promise<void> => {
      for await (const at of inOrder(listOf([0, 1, 2, 3, 4, 5, 6, 7]), 3, never, work)) expect(at).toBe(0);
    };
    await expect(run()).rejects.toThrow('broken');
    const doneThen = done;
    await wait(10);
    expect([doneThen, done]).toEqual([3, 3]);
  });

  test('a stop is looked at before each', async () => {
    const stop = new AbortController();
    const begun: number[] = [];
    const run = async (): Promise<void> => {
      const work = async (at: number): Promise<number> => {
        begun.push(at);
        if (at === 2) stop.abort(new Error('stopped'));
        return at;
      };
      for await (const _ of inOrder(listOf([0, 1, 2, 3, 4]), 2, stop.signal, work));
    };
    await expect(run()).rejects.toThrow('stopped');
    expect(begun).toEqual([0, 1, 2]);
  });
});

describe('the budget of memory', () => {
  test('is kept by those who share it, has room for one that is larger, and serves in order', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(sizes, async (bytes) => {
        const budget = createByteBudget(20);
        let taken = 0;
        let holders = 0;
        const order: number[] = [];
        await Promise.all(
          bytes.map(async (size, at) => {
            await budget.take(size);
            order.push(at);
            taken += size;
            holders++;
            expect(taken <= 20 || holders === 1).toBe(true);
            await wait(size % 4);
            taken -= size;
            holders--;
            budget.giveBack(size);
          }),
        );
        expect(order).toEqual([...bytes.keys()]);
      }),
      { numRuns: 60 },
    );
  });
});
