/**
 * How long does a save wait for its metadata? Trace, capture and render of one prompt graph, without files and
 * hashes, on the graph that people make (`stages`) and on shapes that would show a quadratic walk.
 */
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { type PromptGraph, parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { renderParameters } from '../../nodes/metadata/infotext.ts';
import { learn } from '../../nodes/metadata/learn.ts';
import { toParameters } from '../../nodes/metadata/parameters.ts';
import { toRecord } from '../../nodes/metadata/record.ts';
import { createRuleBook } from '../../nodes/metadata/rule-book.ts';
import { DEFAULT_MAX_SAMPLERS } from '../../nodes/metadata/samplers.ts';
import { rulePacks } from '../../rules/index.gen.ts';
import type { RawGraph } from '../metadata/graphs.ts';
import {
  combiners,
  contexts,
  controlNets,
  loras,
  samplers,
  sharedSigmas,
  sharedText,
  stages,
} from './graphs.ts';
import { atMost, type Measurement, median, QUIET, quantile, timeMs } from './measure.ts';

const RUNS = 1_000;
const WARM_UP = 50;
const SIZES = [1_000, 2_000, 5_000, 10_000, 20_000] as const;
const SHAPES = { stages, loras, combiners, samplers, controlNets, contexts, sharedSigmas, sharedText };
/**
 * How much dearer a node may be in a large graph than among 1,000. In linear work it is dearer as well, because large
 * graphs leave the processor's caches and are copied by the collector; in quadratic work it costs 20 times as much
 * among 20,000. The shapes that nobody makes may come out a little higher than the one that people make.
 */
const LINEAR_WITHIN = { stages: 2, others: 3 } as const;

const book = createRuleBook(rulePacks);
const options = { select: 'range', maxSamplers: DEFAULT_MAX_SAMPLERS } as const;

function write(graph: PromptGraph): string {
  const { warn } = createWarningLog();
  const learnt = learn(graph, 'save', book, options, warn);
  return renderParameters(toParameters(learnt, new Map(), {}, warn));
}

function parse(make: (size: number) => RawGraph, size: number): PromptGraph {
  return parsePromptGraph(make(size), () => {});
}

/** Takes about 30 s. */
export function benchTrace(): readonly Measurement[] {
  const graph = parse(stages, SIZES[0]);
  if (!write(graph).includes('Samplers detail')) throw new Error('expected a picture with several samplers');
  return [...thousandNodes(graph), recordRow(graph), ...Object.keys(SHAPES).flatMap(growth)];
}

/** Over every run, warm-up left out: a save that waits, waits, whoever else had the core. */
function thousandNodes(graph: PromptGraph): Measurement[] {
  for (let i = 0; i < WARM_UP; i++) write(graph);
  const times = Array.from({ length: RUNS }, () => timeMs(() => write(graph)));
  return [
    { name: 'trace+capture+render, 1,000 nodes, p50', value: median(times), unit: 'ms' },
    atMost('trace+capture+render, 1,000 nodes, p95', quantile(times, 0.95), 'ms', 10),
  ];
}

function recordRow(graph: PromptGraph): Measurement {
  const learnt = learn(graph, 'save', book, options, () => {});
  const times = Array.from({ length: 50 }, () =>
    timeMs(() => JSON.stringify(toRecord(learnt, new Map(), { generator: 'bench' }))),
  );
  return { name: 'record as JSON, 1,000 nodes, p50', value: median(times), unit: 'ms' };
}

function growth(shape: string): Measurement[] {
  const make = Object.entries(SHAPES).find(([name]) => name === shape)?.[1] ?? stages;
  const graphs = SIZES.map((size) => parse(make, size));
  const times: number[][] = SIZES.map(() => []);
  // In turns, so that a busy moment of the machine meets all sizes; small graphs more often, for steadier medians.
  for (let round = 0; round < 5; round++) {
    for (const [i, graph] of graphs.entries()) {
      const repeats = Math.max(1, Math.floor(4_000 / (SIZES[i] ?? 1)));
      for (let run = 0; run < repeats; run++) times[i]?.push(timeMs(() => write(graph)));
    }
  }
  const perNode = times.map((each, i) => (quantile(each, QUIET) * 1_000) / (graphs[i]?.size ?? 1));
  const [least = Number.NaN] = perNode;
  return [
    { name: `${shape}: time of a node among ${SIZES[0]}`, value: least, unit: 'µs' },
    ...perNode.slice(1).map((time, i) => {
      const size = SIZES[i + 1];
      return atMost(
        `${shape}: the same among ${size}, against ${SIZES[0]}`,
        time / least,
        'x',
        shape === 'stages' ? LINEAR_WITHIN.stages : LINEAR_WITHIN.others,
      );
    }),
  ];
}
