import { describe, expect, test } from 'vitest';
import type { ApiPrompt } from '../../../../nodes/kit/api-prompt.ts';
import { at, createBench, inputs, nodeClass } from './harness.ts';

const Empty = nodeClass('Empty', { optional: inputs('x', 'y'), run: ({ x }) => ({ outputs: [x] }) });
const End = nodeClass('End', { required: inputs('x'), terminal: true, outputs: [], run: () => ({}) });

/** Each node hangs on the one before and one further back: every node has all earlier ones as ancestors. */
function chain(length: number): ApiPrompt {
  const prompt: Record<string, ReturnType<typeof at>> = {};
  for (let i = 0; i < length; i++) {
    prompt[`n${i}`] = at('Empty', {
      x: i === 0 ? 0 : [`n${i - 1}`, 0],
      y: i < 10 ? i : [`n${i - 10}`, 0],
    });
  }
  prompt['end'] = at('End', { x: [`n${length - 1}`, 0] });
  return prompt;
}

/** Sources that all meet in outputs of their own: everything is ready at once. */
function wide(width: number): ApiPrompt {
  const prompt: Record<string, ReturnType<typeof at>> = {};
  for (let i = 0; i < width / 2; i++) {
    prompt[`n${i}`] = at('Empty', { x: i });
    prompt[`e${i}`] = at('End', { x: [`n${i}`, 0] });
  }
  return prompt;
}

async function millisecondsANode(make: (size: number) => ApiPrompt, size: number): Promise<number> {
  const bench = createBench([Empty, End]);
  const prompt = make(size);
  const began = performance.now();
  const outcome = await bench.run(prompt);
  const taken = performance.now() - began;
  expect(outcome.status).toBe('success');
  expect(bench.ran()).toHaveLength(Object.keys(prompt).length);
  // The last word on every node is there, however few were sent on the way.
  const last = bench.of('progress_state').at(-1);
  expect(last).toMatchObject({ nodes: { n0: { state: 'finished' } } });
  return taken / size;
}

describe.each([
  ['a chain', chain],
  ['side by side', wide],
])('%s', (_name, make) => {
  test('10,000 nodes cost what ten times 1,000 cost', async () => {
    await millisecondsANode(make, 1000);
    const small = Math.min(await millisecondsANode(make, 1000), await millisecondsANode(make, 1000));
    const large = Math.min(await millisecondsANode(make, 10_000), await millisecondsANode(make, 10_000));
    // Quadratic cost would be ten times.
    expect(large / small).toBeLessThan(4);
  });
});

test('progress_state is sent for every change in a small graph, and now and then in a large one', async () => {
  const bench = createBench([Empty, End]);
  await bench.run(wide(40));
  expect(bench.of('progress_state')).toHaveLength(80);
  await bench.run(wide(4000));
  expect(bench.of('progress_state').length).toBeLessThan(500);
});

test('the event loop has its turns while a large graph runs', async () => {
  const bench = createBench([Empty, End]);
  let longest = 0;
  let last = performance.now();
  let on = true;
  const tick = (): void => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    if (on) setImmediate(tick);
  };
  setImmediate(tick);
  await bench.run(chain(500));
  longest = 0;
  await bench.run(chain(10_000));
  on = false;
  // Keys and places of all nodes are made in one go.
  expect(longest).toBeLessThan(400);
});
