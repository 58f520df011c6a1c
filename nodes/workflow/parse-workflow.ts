import { z } from 'zod';
import { LineageError } from '../kit/errors.ts';
import { isRecord } from '../kit/is-record.ts';
import type { WarningSink } from '../kit/warnings.ts';
import { type GroupData, groupDataSchema } from './group-data.ts';
import { toGroupDefinition } from './group-nodes.ts';
import type { NodeDefinitions } from './node-definitions.ts';
import { idSchema, linkSchema, nodeSchema, typeSchema } from './shapes.ts';
import type {
  BoundarySlot,
  Definition,
  Workflow,
  WorkflowGraph,
  WorkflowLink,
  WorkflowNode,
} from './workflow.ts';

/** Where links of a subgraph begin and end that cross its border, unless the definition says otherwise. */
const BORDER = { input: '-10', output: '-20' } as const;

const boundarySchema = z.object({
  name: z.string().catch(''),
  type: typeSchema,
  linkIds: z.array(idSchema).catch([]),
});
const subgraphSchema = z.object({
  id: z.string(),
  name: z.string().catch(''),
  nodes: z.array(z.unknown()),
  links: z.unknown().optional(),
  inputs: z.array(boundarySchema).catch([]),
  outputs: z.array(boundarySchema).catch([]),
  inputNode: z.object({ id: idSchema }).catch({ id: BORDER.input }),
  outputNode: z.object({ id: idSchema }).catch({ id: BORDER.output }),
});
type Subgraph = z.infer<typeof subgraphSchema>;

/**
 * Where a workflow that anybody may have written becomes typed. What is no node, link or definition is left out, and
 * that is told.
 *
 * @param input what a JSON parser gave, numbers as `ExactNumber` where their spelling matters; not modified
 * @param definitions the classes that group nodes are made of
 * @throws LineageError `workflow/malformed` when it is no workflow at all
 */
export function parseWorkflow(input: unknown, definitions: NodeDefinitions, warn: WarningSink): Workflow {
  if (!isRecord(input) || !Array.isArray(input['nodes'])) {
    throw new LineageError(
      'workflow/malformed',
      `expected an object with a list of nodes, got ${wordFor(input)}`,
    );
  }
  const found = new Map<string, Definition>();
  for (const subgraph of readSubgraphs(input['definitions'], warn)) {
    found.set(subgraph.id, toDefinition(subgraph, warn));
  }
  for (const [name, data] of readGroups(input['extra'], warn)) {
    const definition = toGroupDefinition(name, data, definitions, warn);
    for (const separator of ['/', '>']) found.set(`workflow${separator}${name}`, definition);
  }
  return { ...readGraph(input['nodes'], input['links'], warn), definitions: found };
}

/** Whether a document looks like what the editor saves. */
export function isWorkflow(input: unknown): boolean {
  return isRecord(input) && Array.isArray(input['nodes']) && !('class_type' in input);
}

function wordFor(input: unknown): string {
  if (input === null || typeof input !== 'object') return JSON.stringify(input) ?? typeof input;
  if (!isRecord(input)) return 'a list';
  return `an object with keys ${JSON.stringify(Object.keys(input).slice(0, 5))}`;
}

function readGraph(nodes: readonly unknown[], links: unknown, warn: WarningSink): WorkflowGraph {
  const found = new Map<string, WorkflowNode>();
  for (const [index, raw] of nodes.entries()) {
    const read = nodeSchema.safeParse(raw);
    if (!read.success) warn('workflow/malformed', 'expected a node with id and type', `nodes.${index}`);
    else if (found.has(read.data.id)) warn('workflow/malformed', 'a second node has this id', read.data.id);
    else found.set(read.data.id, read.data);
  }
  return { nodes: found, links: readLinks(links, warn) };
}

/** A list of `[id, from, slot, to, slot, type]` or of objects, or an object of them. */
function readLinks(links: unknown, warn: WarningSink): ReadonlyMap<string, WorkflowLink> {
  const found = new Map<string, WorkflowLink>();
  const entries = Array.isArray(links) ? links : isRecord(links) ? Object.values(links) : [];
  for (const [index, raw] of entries.entries()) {
    // LiteGraph leaves holes where links were.
    if (raw === null) continue;
    const read = linkSchema.safeParse(raw);
    if (!read.success) warn('workflow/malformed', 'expected a link', `links.${index}`);
    else found.set(read.data.id, read.data);
  }
  return found;
}

function readSubgraphs(definitions: unknown, warn: WarningSink): readonly Subgraph[] {
  const list = isRecord(definitions) ? definitions['subgraphs'] : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((raw, index) => {
    const read = subgraphSchema.safeParse(raw);
    if (read.success) return [read.data];
    warn('workflow/malformed', 'expected a subgraph with id and nodes', `definitions.subgraphs.${index}`);
    return [];
  });
}

function toDefinition(subgraph: Subgraph, warn: WarningSink): Definition {
  const graph = readGraph(subgraph.nodes, subgraph.links, warn);
  const [inputId, outputId] = [subgraph.inputNode.id, subgraph.outputNode.id];
  const all = [...graph.links];
  const slots = (
    list: Subgraph['inputs'],
    touches: (link: WorkflowLink, slot: number) => boolean,
  ): readonly BoundarySlot[] =>
    list.map(({ name, type, linkIds }, slot) => {
      const listed = linkIds.filter((id) => graph.links.has(id));
      const links =
        listed.length > 0 ? listed : all.filter(([, link]) => touches(link, slot)).map(([id]) => id);
      return { name, type, links };
    });
  return {
    ...graph,
    name: subgraph.name,
    inputs: slots(subgraph.inputs, (link, slot) => link.from === inputId && link.fromSlot === slot),
    outputs: slots(subgraph.outputs, (link, slot) => link.to === outputId && link.toSlot === slot),
    inputId,
    outputId,
  };
}

function readGroups(extra: unknown, warn: WarningSink): readonly (readonly [string, GroupData])[] {
  const groups = isRecord(extra) ? extra['groupNodes'] : undefined;
  if (!isRecord(groups)) return [];
  return Object.entries(groups).flatMap(([name, raw]) => {
    const read = groupDataSchema.safeParse(raw);
    if (read.success) return [[name, read.data] as const];
    warn('workflow/malformed', 'expected a group node with nodes and links', `extra.groupNodes.${name}`);
    return [];
  });
}
