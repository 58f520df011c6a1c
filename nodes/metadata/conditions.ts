import type { Condition, ItemCondition } from '../../rules/define.ts';
import type { Json } from '../kit/exact-json.ts';
import type { PromptNode } from './graph.ts';
import { asText } from './operations.ts';

/** Gives the value of an input, undefined where only a run knows it. */
type ValueOf = (name: string) => Json | undefined;

type Scalar = string | number | boolean;

/**
 * Whether all conditions on a node's inputs hold.
 *
 * @param item of a source of several items, the end of the item's name: asked of conditions with a prefix
 */
export function holds(
  conditions: Condition | ItemCondition | readonly (Condition | ItemCondition)[] | undefined,
  node: PromptNode,
  ask: ValueOf,
  item = '',
): boolean {
  if (conditions === undefined) return true;
  return listOf(conditions).every((condition) => {
    const name = 'input' in condition ? condition.input : `${condition.prefix}${item}`;
    const isLinked = node.links.has(name);
    if ('linked' in condition) return isLinked === condition.linked;
    const isLeftOut = !isLinked && !node.literals.has(name);
    const value = isLeftOut ? condition.default : ask(name);
    if ('is' in condition) return value !== undefined && isAmong(value, condition.is);
    return value === undefined || !isAmong(value, condition.not);
  });
}

function listOf<T>(one: T | readonly T[]): readonly T[] {
  return isList(one) ? one : [one];
}

function isList<T>(one: T | readonly T[]): one is readonly T[] {
  return Array.isArray(one);
}

function isAmong(value: Json, among: Scalar | readonly Scalar[]): boolean {
  const text = asText(value);
  return listOf(among).some((each) => String(each) === text);
}
