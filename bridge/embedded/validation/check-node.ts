import { pythonTypeOf } from '../../../nodes/kit/api-prompt.ts';
import type { Json } from '../../../nodes/kit/exact-json.ts';
import type { GraphNode, InputFiles } from '../../../nodes/kit/graph-node.ts';
import type { InputSpec } from '../../../nodes/kit/input-spec.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { type LiveInputs, liveInputs } from '../nodes/live-inputs.ts';
import type { NodeTable } from '../nodes/node-table.ts';
import type { ApiError } from './api-error.ts';
import { askValidator } from './ask-validator.ts';
import { checkLiteral } from './check-literal.ts';
import {
  badLinkedInput,
  exceptionDuringInnerValidation,
  requiredInputMissing,
  returnTypeMismatch,
} from './input-errors.ts';
import { PythonError, reprOf, toPythonNumber } from './python-value.ts';
import { typesMatch } from './type-match.ts';

/** What became of a node: its own errors. Without any it is still invalid where a node above it is. */
export type Verdict = { readonly valid: boolean; readonly errors: readonly ApiError[] };

/** A prompt while it is checked. */
export type PromptCheck = {
  readonly prompt: ReadonlyMap<string, TypedNode>;
  readonly nodes: NodeTable;
  /** The pictures that a validator may ask for. */
  readonly files: InputFiles | undefined;
  /** Of each node that was checked. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** Gives a node its verdict. */
  readonly settle: (id: string, verdict: Verdict) => void;
  /** Their inputs, coerced as far as the check went. */
  readonly coerced: Map<string, Record<string, Json>>;
};

/** A node of a prompt: its class type is one of the table, nothing else is known. */
export type TypedNode = { readonly [key: string]: Json; readonly class_type: string };

/** The state of one node's check. */
type NodeCheck = {
  readonly node: GraphNode;
  readonly inputs: Record<string, Json>;
  readonly errors: ApiError[];
  /** The types of what is linked, for a validator that asks. */
  readonly linkedTypes: Record<string, string>;
};

/**
 * Checks one node: its literals are coerced, its links followed, its own validator asked. Yields the id of each node
 * that it links to and wants that node's verdict back, so that whoever runs it keeps the stack: recursion would break
 * on a chain of 10,000 nodes.
 *
 * Inputs are checked in the order of their declaration, where ComfyUI has none (a Python set).
 *
 * @throws PythonError where ComfyUI's check of this very node raises; whatever its validator throws
 * @see ComfyUI 618b803d execution.py validate_inputs
 */
export async function* checkNode(id: string, check: PromptCheck): AsyncGenerator<string, Verdict, Verdict> {
  const node = nodeOf(id, check);
  const state: NodeCheck = { node, inputs: { ...inputsOf(id, check) }, errors: [], linkedTypes: {} };
  const { inputs, errors } = state;
  check.coerced.set(id, inputs);
  let valid = true;
  const live = liveInputs(node, inputs);
  for (const [name, spec, isRequired] of declaredInputs(live)) {
    if (!Object.hasOwn(inputs, name)) {
      if (isRequired) errors.push(requiredInputMissing(name, live.paths.get(name)?.at(-1)));
      continue;
    }
    const value = inputs[name] ?? null;
    if (isList(value)) {
      const isSourceValid = yield* followLink(name, spec, value, state, check);
      valid &&= isSourceValid;
    } else {
      const checked = checkLiteral(name, spec, value, takesOver(node, name));
      inputs[name] = checked.value;
      if (checked.error) errors.push(checked.error);
    }
  }
  if (node.validate) {
    errors.push(...(await askValidator(node, node.validate, id, inputs, state.linkedTypes, check.files)));
  }
  return { valid: valid && errors.length === 0, errors };
}

function nodeOf(id: string, { prompt, nodes }: PromptCheck): GraphNode {
  const node = nodes.get(prompt.get(id)?.class_type ?? '');
  if (!node) throw new PythonError('KeyError', reprOf(id));
  return node;
}

/** ComfyUI has no error of its own for a node without a dict of inputs: Python's shows. */
function inputsOf(id: string, { prompt }: PromptCheck): Readonly<Record<string, Json>> {
  const inputs = prompt.get(id)?.['inputs'];
  if (inputs === undefined) throw new PythonError('KeyError', "'inputs'");
  if (isJsonRecord(inputs)) return inputs;
  // Python looks a name up in these as well, and does not find it.
  if (typeof inputs === 'string' || Array.isArray(inputs)) return {};
  throw new PythonError('TypeError', `argument of type '${pythonTypeOf(inputs)}' is not iterable`);
}

function isJsonRecord(value: Json): value is Readonly<Record<string, Json>> {
  return isRecord(value);
}

function declaredInputs({
  required,
  optional,
}: LiveInputs): (readonly [name: string, spec: InputSpec, isRequired: boolean])[] {
  return [
    ...Object.entries(required).map(([name, spec]) => [name, spec, true] as const),
    ...Object.entries(optional).map(([name, spec]) => [name, spec, false] as const),
  ];
}

/** Whether it is taken for a link: any list is. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function takesOver({ validate }: GraphNode, name: string): boolean {
  return validate !== undefined && (validate.inputs === 'all' || validate.inputs.includes(name));
}

/** @returns whether the node behind it is valid; true where the link itself is at fault, an error of this node */
async function* followLink(
  name: string,
  spec: InputSpec,
  link: readonly Json[],
  { node, inputs, errors, linkedTypes }: NodeCheck,
  check: PromptCheck,
): AsyncGenerator<string, boolean, Verdict> {
  const input = { name, spec };
  if (link.length !== 2) {
    errors.push(badLinkedInput(input, link));
    return true;
  }
  const { sourceId, slot, type } = readLink(link, check);
  inputs[name] = [sourceId, slot];
  linkedTypes[name] = type;
  if (!node.validate?.checksTypes && !typesMatch(type, spec.type)) {
    errors.push(returnTypeMismatch(input, link, type));
    return true;
  }
  try {
    return (yield sourceId).valid;
  } catch (error) {
    // As in ComfyUI, what raised there is said of the node behind the link, and the check goes on.
    const reason = exceptionDuringInnerValidation(input, link, error);
    check.settle(sourceId, { valid: false, errors: [reason] });
    return false;
  }
}

/** The slot is counted from the front: Python takes -1 and True for slots too, the executor does not. */
function readLink(
  link: readonly Json[],
  check: PromptCheck,
): { readonly sourceId: string; readonly slot: number; readonly type: string } {
  const [id = null, slot = null] = link;
  const kind = pythonTypeOf(id);
  if (kind === 'list' || kind === 'dict') throw new PythonError('TypeError', `unhashable type: '${kind}'`);
  if (typeof id !== 'string') throw new PythonError('KeyError', reprOf(id));
  const { outputs } = nodeOf(id, check);
  const index = toPythonNumber(slot);
  if (typeof index !== 'bigint') {
    const what = pythonTypeOf(slot);
    throw new PythonError('TypeError', `tuple indices must be integers or slices, not ${what}`);
  }
  if (index !== BigInt.asIntN(64, index)) {
    throw new PythonError('IndexError', "cannot fit 'int' into an index-sized integer");
  }
  const output = outputs.at(Number(index));
  if (!output) throw new PythonError('IndexError', 'tuple index out of range');
  return { sourceId: id, slot: outputs.indexOf(output), type: output.type };
}
