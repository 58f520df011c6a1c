import { type ApiLink, isApiLink } from '../../../nodes/kit/api-prompt.ts';
import { ExecutionBlocker, type GraphResult, type OutputSpec } from '../../../nodes/kit/graph-node.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { NodeResultError } from './node-error.ts';

/** What one call contributes to a node's outputs. */
export type ReturnedOutputs = {
  readonly outputs: readonly unknown[];
  /** Links among them lead to results of the expansion; otherwise a link is a value like any other. */
  readonly expanded: boolean;
};

/** Refuses what is no result, since nodes loaded at run time may give anything. @throws NodeResultError */
export function checkResult(result: GraphResult): GraphResult {
  if (!isRecord(result)) {
    throw new NodeResultError(`expected an object with outputs, ui or expand, got ${describeKind(result)}`);
  }
  return result;
}

/**
 * Joins the results of all calls, slot by slot: an element a call, or all elements of a slot that is a list.
 *
 * @param follow the elements that a link into the expansion gives. Several elements stay in their slot (ComfyUI
 *   618b803d would spread them over the slots behind).
 * @throws NodeResultError where a call gave fewer outputs than the first, or no list where one is declared
 */
export function mergeOutputs(
  returns: readonly ReturnedOutputs[],
  declared: readonly OutputSpec[],
  follow: (link: ApiLink) => readonly unknown[],
): unknown[][] {
  const slots: unknown[][] = (returns[0]?.outputs ?? []).map(() => []);
  for (const { outputs, expanded } of returns) {
    if (outputs.length < slots.length) {
      throw new NodeResultError(`expected ${slots.length} outputs of every call, got ${outputs.length}`);
    }
    for (const [slot, elements] of slots.entries()) {
      const value = outputs[slot];
      if (expanded && isApiLink(value)) append(elements, follow(value));
      else if (!declared[slot]?.isList || value instanceof ExecutionBlocker) elements.push(value);
      else if (Array.isArray(value)) append(elements, value);
      else throw new NodeResultError(`expected a list in output slot ${slot}, got ${describeKind(value)}`);
    }
  }
  return slots;
}

/** The `ui` messages of all calls as one, lists joined by name; undefined where there is none. */
export function mergeUi(
  results: readonly GraphResult[],
): Readonly<Record<string, readonly unknown[]>> | undefined {
  let merged: Record<string, unknown[]> | undefined;
  for (const { ui } of results) {
    if (!ui) continue;
    merged ??= withoutPrototype();
    for (const [name, values] of Object.entries(ui)) {
      if (!Array.isArray(values)) {
        throw new NodeResultError(`expected a list under ui.${name}, got ${describeKind(values)}`);
      }
      merged[name] ??= [];
      append(merged[name], values);
    }
  }
  return merged && Object.keys(merged).length > 0 ? merged : undefined;
}

/** Names come from nodes that are loaded at run time. */
function withoutPrototype(): Record<string, unknown[]> {
  return Object.create(null);
}

/** Not spread into push: a list may be longer than a call takes arguments. */
function append(elements: unknown[], more: readonly unknown[]): void {
  for (const element of more) elements.push(element);
}

function describeKind(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
}
