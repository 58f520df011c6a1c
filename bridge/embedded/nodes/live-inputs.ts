import type { GraphNode } from '../../../nodes/kit/graph-node.ts';
import { DYNAMIC_COMBO, type InputSpec } from '../../../nodes/kit/input-spec.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';

type Specs = Readonly<Record<string, InputSpec>>;

/** The inputs that a node has with the values it was given: the word of a dynamic combo brings some of its own. */
export type LiveInputs = {
  readonly required: Specs;
  readonly optional: Specs;
  /** Of those inside a dynamic combo, and of itself: dotted name to the way that leads to it in what a run is given. */
  readonly paths: ReadonlyMap<string, readonly string[]>;
};

const NO_PATHS: LiveInputs['paths'] = new Map();

/** Whether which inputs a node has depends on what it is given. */
export function isDynamic({ required, optional = {} }: GraphNode): boolean {
  return [required, optional].some((specs) =>
    Object.values(specs).some(({ type }) => type === DYNAMIC_COMBO),
  );
}

/**
 * Works out the inputs of a node. A dynamic combo `method` with the word `ties` brings `method.density` and so on; with a
 * word that it does not have, or none, it is no input at all, as in ComfyUI, which neither finds it missing nor wrong.
 *
 * @param given values or links by dotted name, as a prompt has them
 * @see ComfyUI 618b803d comfy_api/latest/_io.py parse_class_inputs, DynamicCombo._expand_schema_for_dynamic
 */
export function liveInputs(node: GraphNode, given: Readonly<Record<string, unknown>>): LiveInputs {
  const { required, optional = {} } = node;
  if (!isDynamic(node)) return { required, optional, paths: NO_PATHS };
  const groups = { required: new Map<string, InputSpec>(), optional: new Map<string, InputSpec>() };
  const paths = new Map<string, readonly string[]>();

  function add(group: Group, specs: Specs, prefix: readonly string[]): void {
    for (const [id, spec] of Object.entries(specs)) {
      const place = [...prefix, id];
      const name = place.join('.');
      if (spec.type !== DYNAMIC_COMBO) {
        groups[group].set(name, spec);
        if (prefix.length > 0) paths.set(name, name.split('.'));
        continue;
      }
      const inside = optionOf(spec, given[name]);
      if (!inside) continue;
      for (const each of GROUPS) add(each, readSpecs(inside[each]), place);
      groups[group].set(name, spec);
      paths.set(name, [...name.split('.'), id]);
    }
  }

  add('required', required, []);
  add('optional', optional, []);
  return {
    required: Object.fromEntries(groups.required),
    optional: Object.fromEntries(groups.optional),
    paths,
  };
}

/**
 * What a run is given, with dynamic combos as objects: `{method: {method: 'ties', density: 0.2}}`. Inputs that are absent
 * stay so, where ComfyUI says None.
 *
 * @see ComfyUI 618b803d comfy_api/latest/_io.py build_nested_inputs
 */
export function nestInputs(
  flat: Readonly<Record<string, unknown>>,
  paths: LiveInputs['paths'],
): Readonly<Record<string, unknown>> {
  if (paths.size === 0) return flat;
  const nested: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(flat)) {
    const path = paths.get(name) ?? [name];
    let at = nested;
    for (const part of path.slice(0, -1)) at = innerOf(at, part);
    at[path.at(-1) ?? name] = value;
  }
  return nested;
}

/** Objects inside are made here alone. */
function innerOf(within: Record<string, unknown>, name: string): Record<string, unknown> {
  const known = within[name];
  if (isRecord(known)) return known;
  const made: Record<string, unknown> = Object.create(null);
  within[name] = made;
  return made;
}

const GROUPS = ['required', 'optional'] as const;
type Group = (typeof GROUPS)[number];

/** The inputs of a word, in groups. */
function optionOf({ options }: InputSpec, word: unknown): Readonly<Record<string, unknown>> | undefined {
  const declared = options['options'];
  if (!Array.isArray(declared) || typeof word !== 'string') return undefined;
  const option: unknown = declared.find((each: unknown) => isRecord(each) && each['key'] === word);
  const inputs = isRecord(option) ? option['inputs'] : undefined;
  return isRecord(inputs) ? inputs : undefined;
}

/** Declarations as `/object_info` has them, `[type, options]`; what is none is left out. */
function readSpecs(group: unknown): Specs {
  const entries = Object.entries(isRecord(group) ? group : {}).flatMap(([name, declared]) => {
    const [type, options = {}]: readonly unknown[] = Array.isArray(declared) ? declared : [];
    const isType = typeof type === 'string' || isWords(type);
    return isType && isRecord(options) ? [[name, { type, options }] as const] : [];
  });
  return Object.fromEntries(entries);
}

function isWords(type: unknown): type is readonly string[] {
  return Array.isArray(type) && type.every((word) => typeof word === 'string');
}
