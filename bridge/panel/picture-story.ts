import { type Container, readContainer } from '../../nodes/formats/container.ts';
import { parseExactJson } from '../../nodes/kit/exact-json.ts';
import type { RuleFiles } from '../../nodes/kit/rule-files.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import type { Warning, WarningSink } from '../../nodes/kit/warnings.ts';
import { type CarriedMetadata, readCarried } from '../../nodes/metadata/carried.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { findHints } from '../../nodes/metadata/hints.ts';
import { type Detail, parseInfotext } from '../../nodes/metadata/infotext.ts';
import { learn } from '../../nodes/metadata/learn.ts';
import { meantBy } from '../../nodes/metadata/meant.ts';
import { asText } from '../../nodes/metadata/operations.ts';
import { findPin } from '../../nodes/metadata/pin.ts';
import { readRecord } from '../../nodes/metadata/read-record.ts';
import { READERS } from '../../nodes/metadata/readers/index.ts';
import { makeReceipt, type ReceiptRow } from '../../nodes/metadata/receipt.ts';
import { type RecordData, toRecord } from '../../nodes/metadata/record.ts';
import type { RuleBook } from '../../nodes/metadata/rule-book.ts';
import { openHostBook } from '../../nodes/metadata/rules/user-book.ts';
import { DEFAULT_MAX_SAMPLERS } from '../../nodes/metadata/samplers.ts';
import { chooseSaveNode } from '../../nodes/metadata/save-nodes.ts';
import { type Stage, stageOfText } from '../../nodes/metadata/stages.ts';

/** What a page shows of a picture. Values are texts: a browser would round a 64-bit seed. */
export type PictureStory = {
  readonly format: string;
  readonly width: number;
  readonly height: number;
  /** `record`: what was true when it was saved. `graph`: traced now from the graph in the file. */
  readonly from: 'record' | 'graph' | 'none';
  readonly holds: { readonly prompt: boolean; readonly workflow: boolean };
  readonly stage: Stage;
  /** The infotext whole, and taken apart. */
  readonly parameters: string;
  readonly positive: string;
  readonly negative: string;
  readonly details: readonly Detail[];
  readonly saveNode: string | null;
  readonly primary: string | null;
  readonly samplers: RecordData['samplers'];
  readonly fields: readonly (Omit<RecordData['fields'][number], 'value'> & { readonly value: string })[];
  readonly resources: RecordData['resources'];
  readonly warnings: readonly Warning[];
};

/** A reader's row with the reader's name and its mark: all that was meant, some of it, or nothing. */
export type NamedRow = ReceiptRow & { readonly name: string; readonly mark: 'all' | 'some' | 'none' };

/**
 * What each reader sees of a file that is there, measured against what the file itself carries. What a budget left
 * out when it was written is not in it any more: `stage` says whether something was.
 *
 * @throws LineageError of the container
 */
export function receiptOf(bytes: Uint8Array): {
  readonly format: string;
  readonly stage: Stage;
  readonly rows: readonly NamedRow[];
} {
  const container = readContainer(bytes);
  const { parameters = '', prompt, workflow } = readCarried(container);
  const meant = meantBy({
    parameters: parseInfotext(parameters),
    ...(prompt !== undefined && { prompt }),
    ...(workflow !== undefined && { workflow }),
  });
  const names = new Map(READERS.map(({ id, name }) => [id, name]));
  const rows = makeReceipt(bytes, meant).map((row) => ({
    ...row,
    name: names.get(row.reader) ?? row.reader,
    mark: markOf(row),
  }));
  return { format: container.format, stage: stageOfText(parameters), rows };
}

function markOf({ sees, loses }: ReceiptRow): NamedRow['mark'] {
  if (sees.length === 0) return 'none';
  return loses.length === 0 ? 'all' : 'some';
}

/**
 * Each field of a picture with the nodes it came along: from its record, else traced from its graph, else only what
 * its text says.
 *
 * @param rules the owner's own
 * @param node the node that saved it, where the asker knows; used when the graph in the file has it
 * @throws LineageError of the container, `graph/malformed`, `graph/no-save-node`, `graph/several-save-nodes`
 */
export async function storyOf(
  bytes: Uint8Array,
  node: string | undefined,
  rules: RuleFiles | undefined,
): Promise<PictureStory> {
  const { warn, list: warnings } = createWarningLog();
  const container = readContainer(bytes);
  const carried = readCarried(container);
  const record = carried.record === undefined ? undefined : readRecord(carried.record, warn);
  const known = record ?? traceCarried(carried, container, node, await openHostBook(rules, warn), warn);
  const text = carried.parameters ?? '';
  const { positive, negative, details } = parseInfotext(text);
  return {
    format: container.format,
    width: container.width,
    height: container.height,
    from: record ? 'record' : known ? 'graph' : 'none',
    holds: { prompt: carried.prompt !== undefined, workflow: carried.workflow !== undefined },
    stage: stageOfText(text),
    parameters: text,
    positive,
    negative,
    details,
    saveNode: known?.saveNode ?? null,
    primary: known?.primary ?? null,
    samplers: known?.samplers ?? [],
    fields: known?.fields.map((fact) => ({ ...fact, value: asText(fact.value) })) ?? [],
    resources: known?.resources ?? [],
    warnings,
  };
}

/** For pictures of others, and JPEGs too small for a record. No files are looked for: hashes take time. */
function traceCarried(
  { prompt, workflow }: CarriedMetadata,
  { width, height }: Container,
  node: string | undefined,
  book: RuleBook,
  warn: WarningSink,
): Omit<RecordData, 'generator'> | undefined {
  if (prompt === undefined) return undefined;
  const graph = parsePromptGraph(parseExactJson(prompt, warn), warn);
  const saveNode = chooseSaveNode(graph, book, node !== undefined && graph.has(node) ? node : undefined);
  const marked = workflow === undefined ? undefined : parseExactJson(workflow, warn);
  const pinned = findPin(marked, 'sampler');
  const options = {
    select: 'range',
    maxSamplers: DEFAULT_MAX_SAMPLERS,
    hints: findHints(marked),
    ...(pinned !== undefined && { pinned }),
  } as const;
  const learnt = learn(graph, saveNode, book, options, warn);
  return toRecord(learnt, new Map(), { generator: '', size: { width, height } });
}
