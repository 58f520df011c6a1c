import { isApiLink } from '../../../nodes/kit/api-prompt.ts';
import type { Json } from '../../../nodes/kit/exact-json.ts';
import {
  ExecutionBlocker,
  type GraphNode,
  type InputFiles,
  type Validator,
} from '../../../nodes/kit/graph-node.ts';
import { toRunValue } from '../execution/run-value.ts';
import { type LiveInputs, liveInputs, nestInputs } from '../nodes/live-inputs.ts';
import type { ApiError } from './api-error.ts';
import { customValidationFailed } from './input-errors.ts';

/** The name under which ComfyUI hands a validator the types of its links; it then stands in the errors too. */
const TYPES = 'input_types';

/**
 * Asks the node's own validator.
 *
 * @param inputs literals coerced where they could be
 * @param linkedTypes what is linked, by input
 * @param files for a validator that looks whether a picture is there
 * @returns its complaint, once for each input that it was given
 * @throws whatever it throws
 * @see ComfyUI 618b803d execution.py validate_inputs, get_input_data
 */
export async function askValidator(
  node: GraphNode,
  validator: Validator,
  nodeId: string,
  inputs: Readonly<Record<string, Json>>,
  linkedTypes: Readonly<Record<string, string>>,
  files: InputFiles | undefined,
): Promise<ApiError[]> {
  const live = liveInputs(node, inputs);
  const given = valuesFor(node, live, nodeId, inputs).filter(
    ([name]) => validator.inputs === 'all' || validator.inputs.includes(name),
  );
  const values = given.map(([name, value]) => [name, node.inputIsList ? [value] : value] as const);
  // Nodes are written by anybody: what the type says they return is not all that comes.
  const reply: unknown = await validator.check(
    nestInputs(nullPrototype(values), live.paths),
    linkedTypes,
    files,
  );
  if (reply === true || reply instanceof ExecutionBlocker) return [];
  const names = given.map(([name]) => name);
  const complaint = reply === false ? reply : String(reply);
  return [...names, ...(validator.checksTypes ? [TYPES] : [])].map((name) =>
    customValidationFailed(name, complaint),
  );
}

/** What a run would get, as far as it is known before: links are undefined. */
function valuesFor(
  node: GraphNode,
  { required, optional }: LiveInputs,
  nodeId: string,
  inputs: Readonly<Record<string, Json>>,
): (readonly [name: string, value: unknown])[] {
  const values = new Map<string, unknown>();
  for (const [name, value] of Object.entries(inputs)) {
    const spec = ownOf(required, name) ?? ownOf(optional, name);
    const isDeclared = spec !== undefined || ownOf(node.hidden, name) !== undefined;
    if (isApiLink(value) && spec?.options['rawLink'] !== true) values.set(name, undefined);
    else if (isDeclared || node.acceptsAllInputs) values.set(name, toRunValue(value, spec?.type));
  }
  for (const [name, kind] of Object.entries(node.hidden ?? {})) {
    if (kind === 'UNIQUE_ID') values.set(name, nodeId);
    else if (kind === 'PROMPT') values.set(name, {});
    else if (FILLED_AT_RUN.has(kind)) values.set(name, undefined);
  }
  return [...values];
}

const FILLED_AT_RUN = new Set(['DYNPROMPT', 'EXTRA_PNGINFO', 'AUTH_TOKEN_COMFY_ORG', 'API_KEY_COMFY_ORG']);

/** Names are a client's text: `constructor` must not be found on a prototype. */
function ownOf<T>(specs: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return specs && Object.hasOwn(specs, name) ? specs[name] : undefined;
}

function nullPrototype(entries: readonly (readonly [string, unknown])[]): Readonly<Record<string, unknown>> {
  return Object.setPrototypeOf(Object.fromEntries(entries), null);
}
