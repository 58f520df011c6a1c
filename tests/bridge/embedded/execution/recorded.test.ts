import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ExecutionBlocker } from '../../../../nodes/kit/graph-node.ts';
import { at, createBench, inputs, nodeClass } from './harness.ts';
import { shorten } from './recorded/brief.ts';

// What real ComfyUI said (recorded/record.ts), against what we say. The classes stand in for those of its testing
// pack: the same inputs, outputs and expansions, without pictures.

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`recorded/${name}`, import.meta.url), 'utf8'));
const prompts = z.record(
  z.string(),
  z.record(z.string(), z.object({ class_type: z.string(), inputs: z.record(z.string(), z.unknown()) })),
);
const graphs = prompts.parse(read('graphs.json'));
const recorded = z
  .record(z.string(), z.tuple([z.array(z.unknown()), z.array(z.unknown())]))
  .parse(read('messages.gen.json'));

/** A tensor, to the eyes of the cache. */
const picture = new Uint8Array(1);
const give = () => ({ outputs: [picture] });

const classes = [
  nodeClass('StubImage', {
    required: inputs('content', 'height:INT', 'width:INT', 'batch_size:INT'),
    run: give,
  }),
  nodeClass('StubMask', {
    required: inputs('value:FLOAT', 'height:INT', 'width:INT', 'batch_size:INT'),
    run: ({ value }) => ({ outputs: [value] }),
  }),
  nodeClass('TestLazyMixImages', {
    required: inputs('image1?', 'image2?', 'mask'),
    checkLazy: ({ image1, image2, mask }) => [
      ...(image1 === undefined && mask !== 1 ? ['image1'] : []),
      ...(image2 === undefined && mask !== 0 ? ['image2'] : []),
    ],
    run: give,
  }),
  nodeClass('TestVariadicAverage', { required: inputs('input1'), run: give }),
  nodeClass('TestSleep', {
    required: inputs('value', 'seconds:FLOAT'),
    hidden: { unique_id: 'UNIQUE_ID' },
    isAsync: true,
    run: ({ seconds }) => new Promise((resolve) => setTimeout(() => resolve(give()), Number(seconds) * 1000)),
  }),
  nodeClass('TestParallelSleep', {
    required: inputs('image1', 'image2', 'image3', 'sleep1:FLOAT', 'sleep2:FLOAT', 'sleep3:FLOAT'),
    hidden: { unique_id: 'UNIQUE_ID' },
    terminal: true,
    run: (given) => ({
      expand: {
        1: at('TestSleep', { value: given['image1'], seconds: given['sleep1'] }),
        2: at('TestSleep', { value: given['image2'], seconds: given['sleep2'] }),
        3: at('TestSleep', { value: given['image3'], seconds: given['sleep3'] }),
        4: at('TestVariadicAverage', { input1: ['1', 0], input2: ['2', 0], input3: ['3', 0] }),
      },
      outputs: [['4', 0]],
    }),
  }),
  nodeClass('TestExecutionBlocker', {
    required: inputs('input', 'block', 'verbose'),
    run: ({ verbose }) => ({ outputs: [new ExecutionBlocker(verbose ? 'Blocked' : undefined)] }),
  }),
  nodeClass('TestSyncError', {
    required: inputs('value'),
    run: () => {
      throw new Error('on purpose');
    },
  }),
  nodeClass('TestDynamicDependencyCycle', {
    required: inputs('input1', 'input2'),
    run: ({ input1, input2 }) => ({
      expand: {
        1: at('StubMask', { value: 0.5, height: 512, width: 512, batch_size: 1 }),
        2: at('TestLazyMixImages', { image1: input1, mask: ['1', 0], image2: ['3', 0] }),
        3: at('TestLazyMixImages', { image1: ['2', 0], image2: input2, mask: ['1', 0] }),
      },
      outputs: [['3', 0]],
    }),
  }),
  nodeClass('PreviewImage', {
    required: inputs('images'),
    hidden: { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO' },
    terminal: true,
    outputs: [],
    run: () => ({ ui: { images: [1] } }),
  }),
];

test('one after the other in one executor, each graph twice, as they were recorded', async () => {
  const bench = createBench(classes);
  for (const [name, prompt] of Object.entries(graphs)) {
    for (const turn of [0, 1] as const) {
      await bench.run(prompt);
      const said = bench.heard.flatMap(({ event, data }) => {
        const brief = shorten(event, data);
        return brief ? [brief] : [];
      });
      expect(said, `${name}, run ${turn + 1}`).toEqual(recorded[name]?.[turn]);
    }
  }
});
