import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openModels } from '../../../bridge/local/open-models.ts';
import type { ModelStore } from '../../../nodes/kit/host.ts';
import { createWarningLog } from '../../../nodes/kit/warning-log.ts';
import { parsePromptGraph } from '../../../nodes/metadata/graph.ts';
import { renderParameters } from '../../../nodes/metadata/infotext.ts';
import { learn } from '../../../nodes/metadata/learn.ts';
import { toParameters } from '../../../nodes/metadata/parameters.ts';
import { resolveResources } from '../../../nodes/metadata/resolve.ts';
import { createRuleBook } from '../../../nodes/metadata/rule-book.ts';
import { DEFAULT_MAX_SAMPLERS } from '../../../nodes/metadata/samplers.ts';
import { rulePacks } from '../../../rules/index.gen.ts';
import type { RawGraph } from '../../metadata/graphs.ts';
import { stages } from '../graphs.ts';
import type { Measurement } from '../measure.ts';
import type { Predecessor } from './predecessor.ts';

const NODES = 900;
/** Of the predecessor; of ours this many times as many, between them. The best of each counts. */
const ROUNDS = 5;
const OURS_A_ROUND = 20;
const FASTER = 100;

const book = createRuleBook(rulePacks);
const options = { select: 'range', maxSamplers: DEFAULT_MAX_SAMPLERS } as const;

/**
 * Graph to parameters text: ours from the parse to the text, the predecessor's from its rules to the text, of the same
 * graph, in turns. Every file that the graph names is there and hashed already; finding it is timed apart, since what
 * that takes is the disk's matter on both sides.
 *
 * @param work holds the model folders
 */
export async function benchCapturing(predecessor: Predecessor, work: string): Promise<Measurement[]> {
  const graph = stages(NODES);
  await predecessor.load(graph, 'save');
  const folder = join(work, 'models');
  const files = writeStandIns(graph, folder);
  const access = openModels({ folders: [folder], ledgerFile: undefined, warn: () => {} });
  const [theirs, ours]: [Spent[], Spent[]] = [[], []];
  try {
    for (let run = 0; run < OURS_A_ROUND; run++) await capture(graph, access.models);
    await predecessor.capture();
    for (let round = 0; round < ROUNDS; round++) {
      const { milliseconds, hashing, text } = await predecessor.capture();
      if (!text.includes('Steps: ')) throw new Error(`the predecessor found no sampler: ${text}`);
      theirs.push({ all: milliseconds, without: milliseconds - hashing });
      for (let run = 0; run < OURS_A_ROUND; run++) ours.push(await capture(graph, access.models));
    }
  } finally {
    await access.close();
  }
  const name = `trace and capture, ${Object.keys(graph).length} nodes`;
  const faster = least(theirs, 'without') / least(ours, 'without');
  return [
    { name: `${name}: ours`, value: least(ours, 'without'), unit: 'ms' },
    { name: `${name}: the predecessor`, value: least(theirs, 'without'), unit: 'ms' },
    {
      name: `${name}: the predecessor's time / ours`,
      value: faster,
      unit: 'x',
      goal: `>= ${FASTER}`,
      ok: faster >= FASTER,
    },
    {
      name: `${name}, and finding ${files} files that were hashed before: the same`,
      value: least(theirs, 'all') / least(ours, 'all'),
      unit: 'x',
    },
  ];
}

/** Milliseconds of one capture, and without the search for files. */
type Spent = { readonly all: number; readonly without: number };

function least(spent: readonly Spent[], which: keyof Spent): number {
  return Math.min(...spent.map((each) => each[which]));
}

async function capture(graph: RawGraph, models: ModelStore): Promise<Spent> {
  const { warn } = createWarningLog();
  const start = performance.now();
  const learnt = learn(parsePromptGraph(graph, warn), 'save', book, options, warn);
  const learned = performance.now();
  const resources = await resolveResources(learnt, models, warn);
  const resolved = performance.now();
  const text = renderParameters(toParameters(learnt, resources, {}, warn));
  const all = performance.now() - start;
  if (!text.includes('Hashes: ')) throw new Error(`no file was found: ${text}`);
  return { all, without: all - (resolved - learned) };
}

/** @returns how many */
function writeStandIns(graph: RawGraph, folder: string): number {
  const folders = { ckpt_name: 'checkpoints', lora_name: 'loras', control_net_name: 'controlnet' };
  const names = new Set(['embeddings/soft.safetensors']);
  for (const { inputs = {} } of Object.values(graph)) {
    for (const [input, kind] of Object.entries(folders)) {
      if (typeof inputs[input] === 'string') names.add(`${kind}/${inputs[input]}`);
    }
  }
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), name);
  }
  return names.size;
}
