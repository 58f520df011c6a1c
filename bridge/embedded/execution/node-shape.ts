import type { GraphNode } from '../../../nodes/kit/graph-node.ts';
import type { InputSpec } from '../../../nodes/kit/input-spec.ts';
import { isDynamic, type LiveInputs, liveInputs } from '../nodes/live-inputs.ts';
import type { NodeTable } from '../nodes/node-table.ts';
import { NodeNotFoundError } from './node-error.ts';

/** What the executor needs of an input's declaration. */
type InputShape = {
  readonly type: InputSpec['type'];
  /** Computed only when the node asks for it. */
  readonly lazy: boolean;
  /** The node wants the link, not what flows through it. */
  readonly rawLink: boolean;
};

/** A hidden input that the host fills in. */
type FilledInput = { readonly name: string; readonly filling: Filling };

const FILLINGS = [
  'PROMPT',
  'DYNPROMPT',
  'EXTRA_PNGINFO',
  'UNIQUE_ID',
  'AUTH_TOKEN_COMFY_ORG',
  'API_KEY_COMFY_ORG',
] as const;
/** What a hidden input can be filled with. The last two are secrets, which a job never holds. */
export type Filling = (typeof FILLINGS)[number];

/** Inputs with what they were given; `paths` says where those inside dynamic combos go in a call. */
type LiveShape = Pick<NodeShape, 'inputs'> & Pick<LiveInputs, 'paths'>;

/** A class as the executor reads it, worked out once. */
export type NodeShape = {
  readonly node: GraphNode;
  /** Declared inputs, hidden ones with a real value among them; without those that the word of a dynamic combo brings. */
  readonly inputs: ReadonlyMap<string, InputShape>;
  readonly filled: readonly FilledInput[];
  /** Its inputs with what a node of a prompt was given. */
  live(given: Readonly<Record<string, unknown>>): LiveShape;
  /** Two nodes of it are never the same, whatever their inputs. */
  readonly individual: boolean;
};

/** Looks classes up. @throws NodeNotFoundError for a class that the runtime does not offer */
export function createShapes(nodes: NodeTable): (classType: string) => NodeShape {
  const shapes = new Map<string, NodeShape>();
  return (classType) => {
    const node = nodes.get(classType);
    if (!node) throw new NodeNotFoundError(`Node class ${classType} not found`);
    const known = shapes.get(classType);
    if (known?.node === node) return known;
    const shape = readShape(node);
    shapes.set(classType, shape);
    return shape;
  };
}

function readShape(node: GraphNode): NodeShape {
  const plain = new Map<string, InputShape>();
  const filled: FilledInput[] = [];
  for (const [name, type] of Object.entries(node.hidden ?? {})) {
    const filling = FILLINGS.find((known) => known === type);
    if (filling) filled.push({ name, filling });
    else plain.set(name, { type, lazy: false, rawLink: false });
  }
  // Required wins over optional, and that over hidden, as ComfyUI looks them up.
  const shapesOf = ({ required, optional = {} }: Pick<GraphNode, 'required' | 'optional'>) =>
    new Map([...plain, ...shapesIn(optional), ...shapesIn(required)]);
  const inputs = shapesOf(node);
  const still: LiveShape = { inputs, paths: new Map() };
  const live = (given: Readonly<Record<string, unknown>>): LiveShape => {
    const found = liveInputs(node, given);
    return { inputs: shapesOf(found), paths: found.paths };
  };
  const individual = node.notIdempotent === true || filled.some(({ filling }) => filling === 'UNIQUE_ID');
  return { node, inputs, live: isDynamic(node) ? live : () => still, filled, individual };
}

function shapesIn(specs: GraphNode['required']): (readonly [name: string, shape: InputShape])[] {
  return Object.entries(specs).map(([name, { type, options }]) => [
    name,
    { type, lazy: Boolean(options['lazy']), rawLink: Boolean(options['rawLink']) },
  ]);
}
