import { builtinNodes } from '../../../nodes/builtin/index.gen.ts';
import { nodeDefinitions } from '../../../nodes/index.gen.ts';
import { LineageError } from '../../../nodes/kit/errors.ts';
import type { GraphNode } from '../../../nodes/kit/graph-node.ts';
import { adaptNode } from './adapt-node.ts';
import { loadNodes } from './load-nodes.ts';

/** Every class type the runtime offers. */
export type NodeTable = ReadonlyMap<string, GraphNode & { readonly pythonModule: string }>;

/** A node on its way into the table; `file` where it was loaded from one. */
type Candidate = { readonly node: GraphNode; readonly pythonModule: string; readonly file?: string };

/**
 * Gathers the classes: ComfyUI's own, ours, and those of the folders that the machine's owner named.
 *
 * As in ComfyUI, a later node with the id of one of ComfyUI's own is left out and told of; any other id that comes
 * twice is an error, where ComfyUI silently takes the last.
 *
 * @param options.log is told of nodes that were left out; else the process warns
 * @throws LineageError `nodes/unloadable`, `nodes/duplicate` naming the file
 */
export async function createNodeTable(options: {
  readonly extraFolders: readonly string[];
  readonly disableBuiltin?: false;
  readonly log?: (message: string) => void;
}): Promise<NodeTable> {
  const log = options.log ?? ((message: string) => process.emitWarning(message));
  const builtin: Candidate[] = builtinNodes.flat().map((node) => ({ node, pythonModule: 'nodes' }));
  const ours: Candidate[] = nodeDefinitions.map((spec) => ({
    node: adaptNode(spec),
    pythonModule: 'custom_nodes.lineage',
  }));
  const extra: Candidate[] = [];
  for (const folder of options.extraFolders) {
    for (const loaded of await loadNodes(folder)) {
      extra.push({ node: loaded.node, pythonModule: `custom_nodes.${loaded.folder}`, file: loaded.file });
    }
  }

  const table = new Map<string, GraphNode & { readonly pythonModule: string }>();
  for (const { node, pythonModule, file } of [...builtin, ...ours, ...extra]) {
    const known = table.get(node.id);
    if (known?.pythonModule === 'nodes' && pythonModule !== 'nodes') {
      log(`${file ?? pythonModule}: ${node.id} is left out, since ComfyUI has a node of this id`);
    } else if (known) {
      const message = `expected an id of its own, got ${node.id}, which ${known.pythonModule} has`;
      throw new LineageError('nodes/duplicate', message, file === undefined ? {} : { file });
    } else {
      table.set(node.id, { ...node, pythonModule });
    }
  }
  return table;
}
