import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { inputsInOrder, isWidget } from '../../nodes/kit/canvas-inputs.ts';
import { parseExactJson } from '../../nodes/kit/exact-json.ts';
import { manifestToWorkflow } from '../../nodes/merge/graph/manifest-to-workflow.ts';
import { packNodes } from './node-words.ts';

const EXAMPLES = new URL('../../fixtures/examples/', import.meta.url);

/** The graphs of the examples, under the names that ComfyUI's list of templates shows. */
const SHOWN = [
  { source: 'metadata/sdxl-base-refiner.json', name: 'Lineage: SDXL base and refiner' },
  { source: 'metadata/flux-custom-sampling.json', name: 'Lineage: Flux with custom sampling' },
  { source: 'metadata/wan22-two-stage.json', name: 'Lineage: Wan 2.2 in two stages' },
  { source: 'workflows/convert-a-picture.json', name: 'Lineage: keep the metadata of a picture' },
] as const;

const nodeSchema = z.looseObject({
  id: z.number(),
  type: z.string(),
  pos: z.tuple([z.number(), z.number()]),
  inputs: z.array(z.looseObject({ name: z.string(), type: z.string(), link: z.number().nullable() })),
  widgets_values: z.array(z.unknown()),
});
type ExampleNode = z.infer<typeof nodeSchema>;
const exampleSchema = z.object({ workflow: z.looseObject({ nodes: z.array(nodeSchema) }) });

const SAVE_NODE = 'LineageSaveImage';
/** Room for its widgets, in pixels of the canvas. */
const SAVE_NODE_SIZE = [400, 620];

/** The sources set their columns closer than a text node is wide. */
const SPREAD = 1.25;

/** Example manifests that are shown opened as merge nodes. */
const MERGES = [{ source: 'merge/complex.json', name: 'Lineage: merge checkpoints in three steps' }] as const;

/**
 * The workflows of `example_workflows/`: those of `fixtures/examples/` with our save node, as it is defined now, in
 * the place of ComfyUI's own, and manifests as merge nodes. Numbers stay as the sources spell them.
 * @returns file name to JSON text
 */
export function exampleWorkflows(): ReadonlyMap<string, string> {
  return new Map([
    ...SHOWN.map(({ source, name }) => [fileNameOf(name), workflowOf(source)] as const),
    ...MERGES.map(({ source, name }) => [fileNameOf(name), mergeOf(source)] as const),
  ]);
}

function fileNameOf(name: string): string {
  return `${name.replaceAll(':', ' -')}.json`;
}

function mergeOf(source: string): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL(source, EXAMPLES), 'utf8'));
  return `${JSON.stringify(manifestToWorkflow(manifest), null, 2)}\n`;
}

function workflowOf(source: string): string {
  const text = readFileSync(new URL(source, EXAMPLES), 'utf8');
  const { workflow } = exampleSchema.parse(parseExactJson(text, refuseWarning));
  const nodes = workflow.nodes
    .map(spread)
    .map((node) => (node.type === 'SaveImage' ? toSaveNode(node) : node));
  return `${JSON.stringify({ ...workflow, nodes }, null, 2)}\n`;
}

function spread(node: ExampleNode): ExampleNode {
  const [x, y] = node.pos;
  return { ...node, pos: [x * SPREAD, y] };
}

/** A source of ours has nothing to warn of. */
function refuseWarning(code: string, message: string): never {
  throw new Error(`${code}: ${message}`);
}

function toSaveNode(node: ExampleNode): object {
  const definition = packNodes.find(({ id }) => id === SAVE_NODE);
  if (!definition) throw new Error(`no node ${SAVE_NODE}`);
  const [prefix] = node.widgets_values;
  const inputs = inputsInOrder(definition);
  const linked = node.inputs.find(({ name }) => name === 'images');
  return {
    ...node,
    type: SAVE_NODE,
    size: SAVE_NODE_SIZE,
    inputs: inputs
      .filter((input) => !isWidget(input))
      .map(({ name, type, optional }) => ({
        name,
        type,
        ...(optional && { shape: 7 }),
        link: name === 'images' ? (linked?.link ?? null) : null,
      })),
    outputs: Object.entries(definition.outputs).map(([name, { type }]) => ({ name, type, links: [] })),
    // The receipt is what the example is to show.
    widgets_values: inputs
      .filter(isWidget)
      .map(({ name, options }) =>
        name === 'filename_prefix' ? prefix : name === 'receipt' ? true : options['default'],
      ),
    properties: { cnr_id: 'lineage-nodes', 'Node name for S&R': SAVE_NODE },
  };
}
