import type { Json } from '../kit/exact-json.ts';
import type { WarningCode } from '../kit/warnings.ts';
import type { FlatNode, Scope } from './flatten.ts';
import { setterOf } from './virtual-nodes.ts';
import { ANY_TYPE, MODES } from './workflow.ts';

/** What arrives at an input. */
type Origin =
  /** An output of a node that runs. */
  | { readonly kind: 'node'; readonly node: FlatNode; readonly slot: number }
  /** The value of a primitive, or of an instance for a slot that nothing is connected to. */
  | { readonly kind: 'value'; readonly value: Json }
  /** Nothing: the way is broken. */
  | { readonly kind: 'broken'; readonly code: WarningCode; readonly message: string }
  /** Nothing is connected. */
  | { readonly kind: 'open' };

/** The next input upstream; `type` is what the last input asks for, where nodes on the way don't. */
type Place = {
  readonly kind: 'place';
  readonly node: FlatNode;
  readonly slot: number;
  readonly type?: string;
};

const OPEN: Origin = { kind: 'open' };

/** Says what arrives at an input of a node, by its place in `node.inputs`. */
export type Resolver = (node: FlatNode, slot: number) => Origin;

/**
 * Follows links upstream through reroutes, bypassed nodes and the borders of subgraphs, slot by slot as the front end
 * does (`ExecutableNodeDTO`). Ways that were found are kept: many inputs may share a long one.
 */
export function createResolver(): Resolver {
  const known = new Map<string, Origin>();
  const setters = new Map<Scope, ReadonlyMap<string, FlatNode>>();

  const findSetter = (getter: FlatNode): FlatNode | undefined => {
    const name = setterKey(setterOf(getter.node.type), getter);
    for (let scope: Scope | undefined = getter.scope; scope; scope = scope.owner?.scope) {
      const index = setters.get(scope) ?? indexByName(scope);
      setters.set(scope, index);
      const found = index.get(name);
      if (found) return found;
    }
    return undefined;
  };

  return (node, slot) => {
    const way: string[] = [];
    const seen = new Set<string>();
    let at: Place | Origin = { kind: 'place', node, slot };
    while (at.kind === 'place') {
      const key: string = `${at.node.id} ${at.slot} ${at.type ?? ''}`;
      const found = known.get(key);
      if (found) at = found;
      else if (seen.has(key))
        at = broken('workflow/cycle', 'the links upstream of this input run in a circle');
      else {
        seen.add(key);
        way.push(key);
        at = stepUp(at, findSetter);
      }
    }
    for (const key of way) known.set(key, at);
    return at;
  };
}

function setterKey(type: string, node: FlatNode): string {
  return `${type}\n${String(node.values.get('value') ?? '')}`;
}

function indexByName(scope: Scope): ReadonlyMap<string, FlatNode> {
  const index = new Map<string, FlatNode>();
  for (const node of scope.nodes.values()) {
    const key = setterKey(node.node.type, node);
    if (!index.has(key)) index.set(key, node);
  }
  return index;
}

function broken(code: WarningCode, message: string): Origin {
  return { kind: 'broken', code, message };
}

function lost(message: string): Origin {
  return broken('workflow/dangling-link', message);
}

type FindSetter = (getter: FlatNode) => FlatNode | undefined;

/** From an input over its link to the next input, or to where the way ends. */
function stepUp({ node, slot, type }: Place, findSetter: FindSetter): Place | Origin {
  const input = node.inputs[slot];
  if (input?.link === undefined) return OPEN;
  const { scope } = node;
  const link = scope.graph.links.get(input.link);
  if (!link) return lost(`the link ${input.link} is not there`);
  if (scope.owner && link.from === scope.definition?.inputId) return leave(scope.owner, link.fromSlot);
  const source = scope.nodes.get(link.from);
  if (!source) return lost(`the node ${link.from} is not there`);
  return passThrough(source, link.fromSlot, type ?? input.type, findSetter);
}

/** Out of a subgraph: to what is connected to the instance, else to the value that it shows. */
function leave(owner: FlatNode, slot: number): Place | Origin {
  const input = owner.inputs[slot];
  if (!input) return lost(`${owner.id} has no input ${slot}`);
  if (input.link !== undefined) return { kind: 'place', node: owner, slot };
  const value = valueOfSlot(owner, slot);
  return value === undefined ? OPEN : { kind: 'value', value };
}

/** The value of an instance for a slot of its own, else that of the first widget behind the slot. */
function valueOfSlot(owner: FlatNode, slot: number): Json | undefined {
  let [at, index] = [owner, slot];
  // Instances within instances: flattening has limited how deep.
  for (;;) {
    const name = at.inputs[index]?.name ?? '';
    const own = at.values.get(name);
    if (own !== undefined) return own;
    const target = firstTarget(at.inner, index);
    if (!target) return undefined;
    const [node, input] = target;
    if (!node.inner) return node.values.get(node.inputs[input]?.name ?? '');
    [at, index] = target;
  }
}

function firstTarget(scope: Scope | undefined, slot: number): [FlatNode, number] | undefined {
  for (const id of scope?.definition?.inputs[slot]?.links ?? []) {
    const node = scope?.nodes.get(scope.graph.links.get(id)?.to ?? '');
    const input = node?.inputs.findIndex(({ link }) => link === id) ?? -1;
    if (node && input >= 0) return [node, input];
  }
  return undefined;
}

/** From an output of a node: the node itself if it runs, else the input that feeds the output. */
function passThrough(node: FlatNode, slot: number, type: string, findSetter: FindSetter): Place | Origin {
  if (node.kind === 'primitive') {
    const value = node.values.get('value');
    return value === undefined ? OPEN : { kind: 'value', value };
  }
  if (node.node.mode === MODES.muted) return broken('workflow/muted', `its source, ${node.id}, is muted`);
  if (node.node.mode === MODES.bypassed) {
    const through = chooseBypass(node, slot, type);
    if (through !== undefined) return { kind: 'place', node, slot: through };
    return broken('workflow/bypass', `${node.id} is bypassed and has no input of type ${type}`);
  }
  if (node.inner) return enter(node, node.inner, slot, type, findSetter);
  if (node.kind === undefined) return { kind: 'node', node, slot };
  if (node.kind === 'get') {
    const setter = findSetter(node);
    if (setter) return { kind: 'place', node: setter, slot: 0, type };
    return lost(`no ${setterOf(node.node.type)} is called ${String(node.values.get('value'))}`);
  }
  return node.kind === 'through' && node.inputs[slot] ? { kind: 'place', node, slot, type } : OPEN;
}

/** Into a subgraph, to what is connected to its output. */
function enter(
  node: FlatNode,
  inner: Scope,
  slot: number,
  type: string,
  findSetter: FindSetter,
): Place | Origin {
  const id = inner.definition?.outputs[slot]?.links[0];
  const link = id === undefined ? undefined : inner.graph.links.get(id);
  if (!link) return lost(`nothing is connected to output ${slot} within ${node.id}`);
  // Straight through: from an input of the instance to its output.
  if (link.from === inner.definition?.inputId) return leave(node, link.fromSlot);
  const source = inner.nodes.get(link.from);
  if (!source) return lost(`the node ${node.id}:${link.from} is not there`);
  return passThrough(source, link.fromSlot, type, findSetter);
}

/**
 * Which input of a bypassed node stands for its output: for any type that of the same place, else the first; otherwise
 * that of the same place if it fits, else the first of the very type, else the first that fits.
 */
function chooseBypass({ inputs, node }: FlatNode, slot: number, type: string): number | undefined {
  if (type === ANY_TYPE) return inputs.length > slot ? slot : inputs.length > 0 ? 0 : undefined;
  const made = node.outputs[slot]?.type ?? ANY_TYPE;
  const fits = (index: number): boolean => {
    const taken = inputs[index]?.type;
    return taken !== undefined && connects(taken, made) && connects(taken, type);
  };
  if (fits(slot)) return slot;
  const exact = inputs.findIndex((input) => input.type === type);
  if (exact >= 0) return exact;
  const loose = inputs.findIndex((_, index) => fits(index));
  return loose >= 0 ? loose : undefined;
}

/** Whether two socket types connect: either takes any, or they have one of their alternatives in common. */
function connects(a: string, b: string): boolean {
  if (a === ANY_TYPE || b === ANY_TYPE) return true;
  const right = b.toLowerCase().split(',');
  return a
    .toLowerCase()
    .split(',')
    .some((type) => right.includes(type));
}
