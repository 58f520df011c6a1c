import { type ApiPrompt, isApiLink } from '../../kit/api-prompt.ts';
import { inputsInOrder, isWidget, widgetValues } from '../../kit/canvas-inputs.ts';
import { manifestToNodes } from './manifest-to-nodes.ts';
import { findMergeNode } from './merge-nodes.ts';
import mergeReport from './merge-report.node.ts';

/** Of the canvas, in pixels. */
const [COLUMN, ROW] = [460, 420];
const SIZE = [400, 380];

/**
 * A manifest as a workflow of ComfyUI's canvas: merge nodes in columns by what they need, a report behind the last.
 * `workflowToPrompt` and `nodesToManifest` give the same manifest again.
 *
 * @param manifest parsed JSON or YAML
 * @throws LineageError `pipeline/malformed`
 */
export function manifestToWorkflow(manifest: unknown): object {
  const { prompt: opened, run } = manifestToNodes(manifest);
  const report = String(Object.keys(opened).length + 1);
  const prompt: ApiPrompt = {
    ...opened,
    [report]: { class_type: mergeReport.id, inputs: { report: [run, REPORT_SLOT] } },
  };
  const links: [id: number, from: number, slot: number, to: number, input: number, type: string][] = [];
  const rows = new Map<number, number>();

  const nodes = Object.entries(prompt).map(([id, { class_type, inputs }], order) => {
    const definition = findMergeNode(class_type);
    if (!definition) throw new Error(`no node ${class_type}`);
    const declared = inputsInOrder(definition);
    const column = depthOf(prompt, id);
    const row = rows.get(column) ?? 0;
    rows.set(column, row + 1);
    const sockets = declared.filter((input) => !isWidget(input));
    return {
      ...{ id: Number(id), type: class_type, pos: [40 + column * COLUMN, 60 + row * ROW], size: SIZE },
      ...{ flags: {}, order, mode: 0 },
      inputs: sockets.map(({ name, type, optional }, index) => {
        const link = inputs[name];
        if (isApiLink(link))
          links.push([links.length + 1, Number(link[0]), link[1], Number(id), index, String(type)]);
        return { name, type, ...(optional && { shape: 7 }), link: isApiLink(link) ? links.length : null };
      }),
      outputs: Object.entries(definition.outputs).map(([name, { type }]) => ({ name, type })),
      widgets_values: widgetValues(definition, inputs),
      properties: { cnr_id: 'lineage-nodes', 'Node name for S&R': class_type },
    };
  });
  return {
    ...{ revision: 0, last_node_id: nodes.length, last_link_id: links.length },
    nodes: nodes.map((node) => ({
      ...node,
      outputs: node.outputs.map((output, slot) => ({
        ...output,
        links: links.filter(([, from, at]) => from === node.id && at === slot).map(([id]) => id),
      })),
    })),
    links,
    ...{ groups: [], config: {}, extra: {}, version: 0.4 },
  };
}

/** `report` of Run Merge. */
const REPORT_SLOT = 4;

/** How many nodes stand before one, on the longest way. */
function depthOf(prompt: ApiPrompt, id: string): number {
  const sources = Object.values(prompt[id]?.inputs ?? {}).flatMap((value) =>
    isApiLink(value) ? [value[0]] : [],
  );
  return sources.reduce((depth, source) => Math.max(depth, depthOf(prompt, source) + 1), 0);
}
