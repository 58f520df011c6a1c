import { readContainer, spliceContainer } from '../../../nodes/formats/container.ts';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import { parseExactJson } from '../../../nodes/kit/exact-json.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { createWarningLog } from '../../../nodes/kit/warning-log.ts';
import { readCarried } from '../../../nodes/metadata/carried.ts';
import { diffPictures } from '../../../nodes/metadata/diff/diff-pictures.ts';
import { type EmbedRequest, embedMetadata } from '../../../nodes/metadata/embed.ts';
import { bareGraph, type NodeId, type PromptGraph, parsePromptGraph } from '../../../nodes/metadata/graph.ts';
import { findHints } from '../../../nodes/metadata/hints.ts';
import { parseInfotext, renderMultiline, renderParameters } from '../../../nodes/metadata/infotext.ts';
import { learn } from '../../../nodes/metadata/learn.ts';
import { lintPicture } from '../../../nodes/metadata/lint/lint-picture.ts';
import { readRecord } from '../../../nodes/metadata/read-record.ts';
import { READERS } from '../../../nodes/metadata/readers/index.ts';
import { viewFile } from '../../../nodes/metadata/readers/view.ts';
import { resolveResources } from '../../../nodes/metadata/resolve.ts';
import type { RuleBook } from '../../../nodes/metadata/rule-book.ts';
import { readClassShapes } from '../../../nodes/metadata/rules/class-shapes.ts';
import { readRules, tellFinding } from '../../../nodes/metadata/rules/read-rules.ts';
import { scanRules } from '../../../nodes/metadata/rules/scan-rules.ts';
import { openUserBook, packBook } from '../../../nodes/metadata/rules/user-book.ts';
import { writeRulesJson } from '../../../nodes/metadata/rules/write-rules.ts';
import { chooseSaveNode } from '../../../nodes/metadata/save-nodes.ts';
import { stripPicture } from '../../../nodes/metadata/strip/strip-picture.ts';
import { writeUp } from '../../../nodes/metadata/write-up.ts';
import { convertWorkflow } from '../../../nodes/workflow/convert-workflow.ts';
import type { NodeDefinitions } from '../../../nodes/workflow/node-definitions.ts';
import { isPicture, type Kind } from './kinds.ts';
import type { Seeds } from './seeds.ts';

/** What the targets need besides the input. Nothing in it changes: an input exercises the same alone and after others. */
export type Workbench = {
  readonly seeds: Seeds;
  readonly definitions: NodeDefinitions;
  /**
   * Graphs and workflows that the pictures of the seeds carry. Most mutated pictures still carry one unchanged, which
   * tells nothing new and would take most of the time: it is passed over there, and tried by itself once in the tests.
   */
  readonly known: ReadonlySet<string>;
};

/** Something that an input broke which no expected failure tells of. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

/**
 * Leads an input through everything that would meet it. Expected failures are passed over; anything else is thrown.
 *
 * @throws Broken where what we wrote ourselves cannot be read again
 */
export async function tryInput(kind: Kind, input: Uint8Array, bench: Workbench): Promise<void> {
  if (isPicture(kind)) return await tryPicture(input, bench);
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(input);
  if (kind === 'graph') await tryGraphText(text, bench);
  else if (kind === 'workflow') await tryWorkflowText(text, bench);
  else await tryRules(text, bench);
}

/** The result, or undefined where it failed as it may. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isLineageError(error)) return undefined;
    throw error;
  }
}

async function tryPicture(bytes: Uint8Array, bench: Workbench): Promise<void> {
  const { warn } = createWarningLog();
  const view = attempt(() => viewFile(bytes));
  for (const reader of READERS) if (view) reader.read(view);
  lintPicture(bytes);
  for (const profile of ['public', 'client', 'archive'] as const) {
    const stripped = attempt(() => stripPicture(bytes, profile, warn));
    if (stripped) mustRead(stripped.bytes, `stripped by ${profile}`);
  }
  const container = attempt(() => readContainer(bytes));
  if (!container) return;
  const carried = readCarried(container);
  if (carried.record !== undefined) readRecord(carried.record, warn);
  const parameters = parseInfotext(carried.parameters ?? '');
  renderMultiline(parameters);
  parseInfotext(renderParameters(parameters));
  const { prompt, workflow } = carried;
  const graphs = { ...(prompt !== undefined && { prompt }), ...(workflow !== undefined && { workflow }) };
  tryEmbedding(bytes, { parameters, record: '{"lineage":1}', ...graphs, maxExifBytes: 8_192 });
  const bare = attempt(() => spliceContainer(bytes, { exif: null, xmp: null }));
  if (bare) mustRead(bare, 'without EXIF and XMP');
  if (prompt !== undefined && !bench.known.has(prompt)) await tryGraphText(prompt, bench);
  if (workflow !== undefined && !bench.known.has(workflow)) await tryWorkflowText(workflow, bench);
}

/** What is written can be read, and writing it again changes nothing. */
function tryEmbedding(bytes: Uint8Array, request: EmbedRequest): void {
  const { warn } = createWarningLog();
  const first = attempt(() => embedMetadata(bytes, request, warn));
  if (!first) return;
  mustRead(first.bytes, 'embedded');
  const second = attempt(() => embedMetadata(first.bytes, request, warn));
  if (!second) throw new Broken('embedding into what was embedded fails');
  if (Buffer.compare(second.bytes, first.bytes) === 0) return;
  const said = (file: Uint8Array): string => JSON.stringify(readCarried(readContainer(file)));
  if (said(first.bytes) !== said(second.bytes)) throw new Broken('embedding twice changes what is said');
  throw new Broken('embedding twice changes the file');
}

function mustRead(bytes: Uint8Array, what: string): void {
  if (!attempt(() => readContainer(bytes))) throw new Broken(`cannot be read again: ${what}`);
}

async function tryGraphText(text: string, bench: Workbench): Promise<void> {
  const { warn } = createWarningLog();
  const document = attempt(() => parseExactJson(text, warn));
  if (document !== undefined) await tryGraph(document, document, packBook, bench);
}

async function tryGraph(
  document: unknown,
  workflow: unknown,
  book: RuleBook,
  bench: Workbench,
): Promise<void> {
  const { warn } = createWarningLog();
  const graph = attempt(() => parsePromptGraph(document, warn));
  if (!graph) return;
  const saveNode = attempt(() => chooseSaveNode(graph, book, undefined)) ?? lastOf(graph);
  const hints = findHints(workflow);
  const learnt = attempt(() =>
    learn(graph, saveNode, book, { select: 'range', maxSamplers: 4, hints }, warn),
  );
  if (!learnt) return;
  const models = { find: async () => MISSING, hash: () => Promise.reject(new Broken('no file was found')) };
  const resources = await resolveResources(learnt, models, warn);
  const graphs = { prompt: bareGraph(document) };
  const { metadata } = writeUp(learnt, resources, { size: { width: 12, height: 8 }, graphs }, warn);
  const { record, parameters } = metadata;
  if (!readRecord(record, warn)) throw new Broken('a record of ours cannot be read');
  const others = parsePromptGraph(bench.seeds.graphs[0], warn);
  if (graph.size < 200)
    diffPictures({ graph, parameters: renderParameters(parameters) }, { graph: others, parameters: 'a fox' });
  // Writing is what costs most here: each graph goes into one of the formats.
  const [picture] = bench.seeds.pictures[record.length % 2 === 0 ? 'png' : 'jpeg'];
  if (picture) tryEmbedding(picture, { ...metadata, maxExifBytes: 65_535 });
}

const MISSING = { found: false, reason: 'missing' } as const;

function lastOf(graph: PromptGraph): NodeId {
  return [...graph.keys()].at(-1) ?? '';
}

async function tryWorkflowText(text: string, bench: Workbench): Promise<void> {
  const { warn } = createWarningLog();
  const workflow = attempt(() => parseExactJson(text, warn));
  if (workflow === undefined) return;
  for (const texts of ['as-edited', 'as-queued'] as const) {
    const options = { texts, now: new Date(0) };
    const prompt = attempt(() => convertWorkflow(workflow, bench.definitions, options, warn));
    if (prompt && texts === 'as-queued') await tryGraph(prompt, workflow, packBook, bench);
  }
}

async function tryRules(text: string, bench: Workbench): Promise<void> {
  // What begins with a brace is read as JSON, whatever its name.
  const file = { name: 'fox.yaml', text };
  const { pack, findings } = readRules(file);
  for (const finding of findings) tellFinding(finding);
  if (pack) {
    const book = openUserBook([file], () => {});
    if (!readRules({ name: 'again.json', text: writeRulesJson(pack.nodes) }).pack)
      throw new Broken('rules that were read cannot be read again');
    for (const graph of samplesFor(Object.keys(pack.nodes), bench.seeds.graphs))
      await tryGraph(graph, graph, book, bench);
  }
  const objectInfo = attempt(() => parseExactJson(text, () => {}));
  const nodes = isRecord(objectInfo) ? objectInfo['nodes'] : undefined;
  for (const each of [objectInfo, nodes])
    scanRules(readClassShapes(each), packBook, { mode: 'all', exclude: [], force: ['SEED'] });
}

/** One graph that the rules know nodes of, and one whose nodes are renamed to classes of the rules. */
function samplesFor(classes: readonly string[], graphs: readonly unknown[]): unknown[] {
  const holds = (graph: unknown): boolean => {
    return (
      isRecord(graph) &&
      Object.values(graph).some((node) => isRecord(node) && classes.includes(String(node['class_type'])))
    );
  };
  const found = graphs.filter(holds).slice(0, 1);
  const first = graphs[0];
  if (!isRecord(first) || classes.length === 0) return found;
  const renamed = Object.entries(first).map(([id, node], at): [string, unknown] => [
    id,
    isRecord(node) ? { ...node, class_type: classes[at % classes.length] } : node,
  ]);
  return [...found, Object.fromEntries(renamed)];
}
