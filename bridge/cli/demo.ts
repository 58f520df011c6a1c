import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { ModelStore } from '../../nodes/kit/host.ts';
import type { Pixels } from '../../nodes/kit/values.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { toDocument } from '../../nodes/metadata/document.ts';
import { embedMetadata } from '../../nodes/metadata/embed.ts';
import type { FileMetadata } from '../../nodes/metadata/file-metadata.ts';
import { bareGraph, type PromptGraph, parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { learn } from '../../nodes/metadata/learn.ts';
import { meantBy } from '../../nodes/metadata/meant.ts';
import { asText } from '../../nodes/metadata/operations.ts';
import { makeReceipt } from '../../nodes/metadata/receipt.ts';
import type { RecordData } from '../../nodes/metadata/record.ts';
import { resolveResources } from '../../nodes/metadata/resolve.ts';
import { createRuleBook } from '../../nodes/metadata/rule-book.ts';
import { DEFAULT_MAX_SAMPLERS } from '../../nodes/metadata/samplers.ts';
import { chooseSaveNode } from '../../nodes/metadata/save-nodes.ts';
import { type WrittenUp, writeUp } from '../../nodes/metadata/write-up.ts';
import { rulePacks } from '../../rules/index.gen.ts';
import { createMemoryLedger } from '../local/ledger.ts';
import { createModelStore } from '../local/model-store.ts';
import { writeFileAtomic } from '../local/write-file.ts';
import type { CommandContext } from './command-context.ts';
import { makeFolder, writeStandInModels } from './demo-models.ts';
import { drawDusk } from './demo-picture.ts';
import { type DemoPicture, type DemoTarget, demoReport } from './demo-report.ts';
import { type GraphSource, readGraphFile } from './graph-source.ts';
import { noteWarnings } from './terminal.ts';

const GRAPHS = new URL('../../fixtures/examples/metadata/', import.meta.url);
const QUALITY = 90;
/** Each graph, and what is written of it: the last three show what a smaller budget costs. */
const EXAMPLES: readonly { readonly graph: string; readonly targets: readonly DemoTarget[] }[] = [
  { graph: 'sdxl-base-refiner', targets: [{ file: 'sdxl-base-refiner.png', format: 'png', maxExifKb: 64 }] },
  {
    graph: 'flux-custom-sampling',
    targets: [{ file: 'flux-custom-sampling.webp', format: 'webp', maxExifKb: 64 }],
  },
  { graph: 'qwen-in-subgraph', targets: [{ file: 'qwen-in-subgraph.avif', format: 'avif', maxExifKb: 64 }] },
  {
    graph: 'wan22-two-stage',
    targets: [
      { file: 'wan22-64kb.jpg', format: 'jpeg', maxExifKb: 64 },
      { file: 'wan22-8kb.jpg', format: 'jpeg', maxExifKb: 8 },
      { file: 'wan22-4kb.jpg', format: 'jpeg', maxExifKb: 4 },
    ],
  },
];

type DemoOptions = { readonly out: string; readonly json?: boolean };

/** `lineage demo`: the whole way from prompt graphs to files, with pictures and models made up on the spot. */
export function demoCommand(context: CommandContext): Command {
  return new Command('demo')
    .description('write example pictures with full metadata, and show what each reader sees in them')
    .option('--out <folder>', 'where to write', 'out')
    .option('--json', 'print one JSON document')
    .action((options: DemoOptions) => demo(options, context));
}

async function demo({ out, json }: DemoOptions, { terminal, signal }: CommandContext): Promise<void> {
  const { warn, list: warnings } = createWarningLog();
  const modelFolder = join(out, 'models');
  await makeFolder(modelFolder);
  const examples = await Promise.all(
    EXAMPLES.map(async ({ graph: name, targets }) => {
      const source = await readGraphFile(fileURLToPath(new URL(`${name}.json`, GRAPHS)), warn);
      return { source, graph: parsePromptGraph(source.prompt, warn), targets };
    }),
  );
  const modelFiles = new Set<string>();
  for (const { graph } of examples)
    for (const file of await writeStandInModels(graph, modelFolder)) modelFiles.add(file);

  const models = createModelStore({ folders: [modelFolder], ledger: createMemoryLedger() });
  const pictures: DemoPicture[] = [];
  try {
    for (const { source, graph, targets } of examples) {
      const { metadata, record } = await describe(graph, source, models, warn, signal);
      const pixels = drawFor(record);
      for (const target of targets) {
        signal.throwIfAborted();
        pictures.push(await save(pixels, metadata, record, { ...target, out: join(out, target.file) }, warn));
      }
    }
  } finally {
    await models.close();
  }

  if (json) {
    const documents = pictures.map(({ record, embedded, receipt, out: file }) => {
      const { stage, text, dropped } = embedded;
      return toDocument(record, { out: file, stage, parameters: text, dropped, warnings: [], receipt });
    });
    terminal.print(JSON.stringify({ out, models: [...modelFiles], pictures: documents, warnings }));
  } else terminal.print(demoReport(out, modelFiles.size, pictures));
  noteWarnings(warnings, terminal);
}

type Warn = ReturnType<typeof createWarningLog>['warn'];

/** Trace, capture, resolve, render. */
async function describe(
  graph: PromptGraph,
  source: GraphSource,
  models: ModelStore,
  warn: Warn,
  signal: AbortSignal,
): Promise<WrittenUp> {
  const book = createRuleBook(rulePacks);
  const options = { select: 'range', maxSamplers: DEFAULT_MAX_SAMPLERS } as const;
  const learnt = learn(graph, chooseSaveNode(graph, book, undefined), book, options, warn);
  const resources = await resolveResources(learnt, models, warn, { signal });
  const graphs = { prompt: bareGraph(source.prompt), workflow: source.workflow };
  return writeUp(learnt, resources, { graphs }, warn);
}

/** Size and seed as the graph says, so that each graph has its own evening. */
function drawFor({ fields, size, primary }: RecordData): Pixels {
  const seed = fields.find(({ field, sampler }) => field === 'SEED' && sampler === primary);
  if (!size || !seed) throw new LineageError('graph/malformed', 'expected a graph with a size and a seed');
  return drawDusk(size.width, size.height, asText(seed.value));
}

/** Encode, splice, write, read back. */
async function save(
  pixels: Pixels,
  metadata: FileMetadata,
  record: RecordData,
  target: DemoTarget & { readonly out: string },
  warn: Warn,
): Promise<DemoPicture> {
  const { encodePixels } = await import('../../nodes/formats/pixels.ts');
  const encoded = await encodePixels(pixels, { format: target.format, quality: QUALITY });
  const maxExifBytes = target.maxExifKb * 1024;
  // What a budget costs is what the table of the demo shows.
  const warnOthers: Warn = (code, ...rest) => code !== 'embed/dropped' && warn(code, ...rest);
  const embedded = embedMetadata(encoded, { ...metadata, maxExifBytes }, warnOthers);
  await writeFileAtomic(target.out, embedded.bytes, { replace: true });
  return { ...target, record, embedded, receipt: makeReceipt(embedded.bytes, meantBy(metadata, embedded)) };
}
