import type { ApiNode, ApiPrompt } from '../../../nodes/kit/api-prompt.ts';
import type { InputFiles } from '../../../nodes/kit/graph-node.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { createSlices } from '../execution/event-loop.ts';
import type { NodeTable } from '../nodes/node-table.ts';
import type { ApiError, NodeErrors } from './api-error.ts';
import type { PromptCheck, TypedNode, Verdict } from './check-node.ts';
import { checkOutput } from './check-output.ts';
import { promptError } from './input-errors.ts';
import { type ErrorStyle, malformed, readTypedNode } from './read-class.ts';

/** Whether a prompt is fit to run. */
export type Validation =
  | {
      readonly ok: true;
      /** A copy with literals coerced and unwrapped; what was given is left as it is. */
      readonly prompt: ApiPrompt;
      /** Those that passed, in the prompt's order; at least one. */
      readonly outputs: readonly string[];
      /** Of the outputs that did not pass; these don't run. */
      readonly nodeErrors: NodeErrors;
    }
  | { readonly ok: false; readonly error: ApiError; readonly nodeErrors: NodeErrors };

/** Of all nodes together: listed in full, a hostile prompt would be answered with the square of its size. */
const MAX_DEPENDENT_OUTPUTS = 100_000;

/**
 * Checks a prompt as ComfyUI does before it queues it: each output node that is asked for, with all above it, once.
 * Linear in nodes and links; neither long chains nor cycles (invalid, without an error of their own) need a deep stack.
 *
 * @param input.prompt as `parseExactJson` read it
 * @param input.targets only these outputs (`partial_execution_targets`)
 * @param input.errorStyle how an unknown class is reported: `missing_node_type`, or `invalid_prompt` as 0.8 has it
 * @param input.files lets validators look whether a picture is there; without it they let every name pass
 * @throws LineageError `prompt/malformed` where ComfyUI fails on the shape of the prompt and answers 500 with plain text
 * @see ComfyUI 618b803d execution.py validate_prompt; the newest style: 04e2a914 execution.py
 */
export async function validatePrompt(input: {
  readonly prompt: unknown;
  readonly targets?: readonly string[];
  readonly nodes: NodeTable;
  readonly errorStyle?: ErrorStyle;
  readonly files?: InputFiles;
}): Promise<Validation> {
  const prompt = new Map<string, TypedNode>();
  for (const [id, node] of entriesOf(input.prompt)) {
    const typed = readTypedNode(id, node, input.nodes, input.errorStyle ?? 'newest');
    if ('error' in typed) return { ok: false, error: typed.error, nodeErrors: {} };
    prompt.set(id, typed.node);
  }
  const targets = input.targets && new Set(input.targets);
  const outputs = [...prompt.keys()].filter(
    (id) => isOutput(prompt.get(id), input.nodes) && (!targets || targets.has(id)),
  );
  if (outputs.length === 0) {
    return { ok: false, error: promptError('prompt_no_outputs', 'Prompt has no outputs'), nodeErrors: {} };
  }

  /** Nodes with errors of their own, and the outputs that failed since. */
  const faulty = new Map<string, string[]>();
  const verdicts = new Map<string, Verdict>();
  const settle = (id: string, verdict: Verdict): void => {
    verdicts.set(id, verdict);
    if (verdict.errors.length > 0) faulty.set(id, []);
  };
  const { nodes, files } = input;
  const check: PromptCheck = { prompt, nodes, files, verdicts, settle, coerced: new Map() };
  const { good, complaints } = await checkOutputs(outputs, check, faulty);
  const nodeErrors = nodeErrorsOf(faulty, check);
  if (good.length > 0) return { ok: true, prompt: coercedPrompt(check), outputs: good, nodeErrors };
  const message = 'Prompt outputs failed validation';
  const error = promptError('prompt_outputs_failed_validation', message, complaints.join('\n'));
  return { ok: false, error, nodeErrors };
}

/** Python walks whatever can be walked, and an empty text or list is a prompt without nodes. */
function entriesOf(prompt: unknown): readonly (readonly [id: string, node: unknown])[] {
  if (isRecord(prompt)) return Object.entries(prompt);
  if (prompt === '' || (Array.isArray(prompt) && prompt.length === 0)) return [];
  throw malformed('expected a prompt graph of node ids to nodes, got something else');
}

function isOutput(node: TypedNode | undefined, nodes: NodeTable): boolean {
  return node !== undefined && nodes.get(node.class_type)?.terminal === true;
}

/** Checks outputs one by one; each that fails is listed with every faulty node that is known by then. */
async function checkOutputs(
  outputs: readonly string[],
  check: PromptCheck,
  faulty: ReadonlyMap<string, string[]>,
): Promise<{ readonly good: readonly string[]; readonly complaints: readonly string[] }> {
  const good: string[] = [];
  const complaints: string[] = [];
  let listed = 0;
  const slices = createSlices();
  for (const output of outputs) {
    // Of many outputs each may be a few steps only.
    if (slices.isOver()) await slices.next();
    const { valid, errors } = await checkOutput(output, check);
    if (valid) {
      good.push(output);
      continue;
    }
    for (const { message, details } of errors) complaints.push(`${message}: ${details}`);
    for (const dependents of faulty.values()) {
      if (++listed > MAX_DEPENDENT_OUTPUTS) break;
      dependents.push(output);
    }
  }
  return { good, complaints };
}

function nodeErrorsOf(faulty: ReadonlyMap<string, readonly string[]>, check: PromptCheck): NodeErrors {
  return Object.fromEntries(
    [...faulty].map(([id, dependents]) => [
      id,
      {
        errors: check.verdicts.get(id)?.errors ?? [],
        dependent_outputs: dependents,
        class_type: check.prompt.get(id)?.class_type ?? '',
      },
    ]),
  );
}

/** Nodes that no output needed stay as they came; one without inputs gets none, so that every node has them. */
function coercedPrompt({ prompt, coerced }: PromptCheck): ApiPrompt {
  return Object.fromEntries(
    [...prompt].map(([id, node]) => [id, { ...node, inputs: coerced.get(id) ?? recordOf(node['inputs']) }]),
  );
}

function recordOf(inputs: unknown): ApiNode['inputs'] {
  return isRecord(inputs) ? inputs : {};
}
