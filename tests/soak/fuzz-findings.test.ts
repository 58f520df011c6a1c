import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { createDraw } from './draw.ts';
import { makeInput } from './fuzz/inputs.ts';
import { isPicture, KINDS, type Kind, kindOf } from './fuzz/kinds.ts';
import { type Layout, layOut } from './fuzz/layouts.ts';
import { timeInput } from './fuzz/measure.ts';
import { minimise } from './fuzz/minimise.ts';
import { carriedGraphs, encodeBarePictures } from './fuzz/seeds.ts';
import { Broken, tryInput, type Workbench } from './fuzz/targets.ts';
import { openBench } from './fuzz/worker.ts';

/** What the soak found once, mended since, and the soak itself. */
const FOLDER = new URL('../../fixtures/fuzz/', import.meta.url);
const kept = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap((entry) => readdirSync(new URL(entry.name, FOLDER)).map((name) => [entry.name, name] as const));

let bench: Workbench;
beforeAll(async () => {
  bench = openBench(await encodeBarePictures());
});

/** No fault, and not a second. How much memory it takes only a process of its own can tell: that is the soak's. */
async function expectHarmless(kind: Kind, input: Uint8Array): Promise<void> {
  expect(await timeInput(kind, input, bench)).toBeUndefined();
}

test('what the pictures of the seeds carry does no harm', async () => {
  const { graphs, workflows } = carriedGraphs(bench.seeds);
  expect(Math.min(graphs.length, workflows.length)).toBeGreaterThan(0);
  for (const text of graphs) await expectHarmless('graph', Buffer.from(text));
  for (const text of workflows) await expectHarmless('workflow', Buffer.from(text));
});

test.each(kept)('%s/%s does no harm', async (kind, name) => {
  const input = new Uint8Array(readFileSync(new URL(`${kind}/${name}`, FOLDER)));
  expect(input.length).toBeLessThan(64 * 1024);
  await expectHarmless(kindOf(kind), input);
});

describe.each(KINDS)('%s', (kind) => {
  test('the same number gives the same input, another gives another', () => {
    const of = (seed: number, index: number): string =>
      Buffer.from(makeInput(kind, bench.seeds, seed, index)).toString('base64');
    expect(of(3, 9)).toBe(of(3, 9));
    const different = new Set(Array.from({ length: 40 }, (_, index) => of(3, index)));
    expect(different.size).toBeGreaterThan(30);
  });

  test('sixty inputs do no harm', async () => {
    for (let index = 0; index < 60; index++)
      await expectHarmless(kind, makeInput(kind, bench.seeds, 4, index));
  });
});

test.each(KINDS.filter(isPicture))(
  'of a %s, parts that follow on each other and numbers inside them',
  (kind) => {
    for (const bytes of bench.seeds.pictures[kind]) {
      const { parts, numbers }: Layout = layOut(kind, bytes);
      expect(parts.length).toBeGreaterThan(0);
      expect(Math.max(...parts.map(({ end }) => end))).toBeLessThanOrEqual(bytes.length);
      expect(Math.max(...numbers.map(({ at, size }) => at + size))).toBeLessThanOrEqual(bytes.length);
    }
  },
);

test('what is not a LineageError is a finding, and is made smaller without becoming another', async () => {
  const [picture = new Uint8Array()] = bench.seeds.pictures.png;
  const broken: Workbench = {
    ...bench,
    get seeds(): Workbench['seeds'] {
      throw new Broken('planted');
    },
  };
  const graph = new TextEncoder().encode(JSON.stringify(bench.seeds.graphs[0]));
  await expect(tryInput('graph', graph, broken)).rejects.toThrow('planted');
  await expect(tryInput('png', picture.subarray(0, 20), broken)).resolves.toBeUndefined();
  const fault = { what: 'error', signature: 'planted at ', detail: '' } as const;
  const smaller = await minimise('graph', graph, fault, broken, 5_000);
  expect(smaller.length).toBeLessThan(graph.length / 4);
  await expect(tryInput('graph', smaller, broken)).rejects.toThrow('planted');
});

test('what takes more than a second of the processor is a finding', async () => {
  const start = process.cpuUsage();
  const spentMs = ({ user, system } = process.cpuUsage(start)): number => (user + system) / 1_000;
  const slow: Workbench = {
    ...bench,
    get seeds(): Workbench['seeds'] {
      while (spentMs() < 1_500);
      return bench.seeds;
    },
  };
  const rules = new TextEncoder().encode(JSON.stringify(bench.seeds.rules[0]));
  expect(await timeInput('rules', rules, slow)).toMatchObject({ what: 'slow' });
});

test('draws stay in their range', () => {
  const draw = createDraw(1, 1);
  expect(Array.from({ length: 1_000 }, () => draw.below(7)).every((each) => each >= 0 && each < 7)).toBe(
    true,
  );
});
