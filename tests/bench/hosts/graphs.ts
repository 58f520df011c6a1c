import type { ApiNode } from '../../../nodes/kit/api-prompt.ts';
import type { BenchGraph } from './session.ts';

const node = (class_type: string, inputs: ApiNode['inputs']): ApiNode => ({ class_type, inputs });

/** Ids of a chain's nodes. */
export function chainIds(length: number): ReadonlySet<string> {
  return new Set(Array.from({ length }, (_, i) => `n${i}`));
}

/**
 * `length` nodes in a row behind `first`, each with a number of its own so that nothing is cached, then an output node.
 * @param input the name of the socket that links them
 */
export function chain(
  classType: string,
  input: string,
  length: number,
  run: number,
  first: ApiNode,
): BenchGraph {
  const links = Array.from({ length }, (_, i): [string, ApiNode] => [
    `n${i}`,
    node(classType, { [input]: i === 0 ? ['first', 0] : [`n${i - 1}`, 0], salt: `${run}.${i}` }),
  ]);
  return Object.fromEntries([
    ['first', first],
    ...links,
    ['end', node('BenchEnd', { value: [`n${length - 1}`, 0] })],
  ]);
}

/** `total` empty nodes as chains of 100: deep chains alone are more than real ComfyUI can validate. */
export function manyEmpty(total: number, run: number): BenchGraph {
  const depth = 100;
  const entries: [string, ApiNode][] = [];
  for (let row = 0; row < total / depth; row++) {
    entries.push([`${row}-start`, node('BenchStart', { salt: `${run}.${row}` })]);
    for (let i = 0; i < depth; i++) {
      const from = i === 0 ? `${row}-start` : `${row}-${i - 1}`;
      entries.push([`${row}-${i}`, node('BenchEmpty', { value: [from, 0], salt: '' })]);
    }
    entries.push([`${row}-end`, node('BenchEnd', { value: [`${row}-${depth - 1}`, 0] })]);
  }
  return Object.fromEntries(entries);
}

/** Eight pictures into a saving node: with the grain and gradients of a photo, or of one colour each. */
export function saveEight(save: ApiNode, kind: 'photo' | 'flat', seed: number): BenchGraph {
  return {
    first:
      kind === 'photo'
        ? node('BenchPhotos', { count: 8, side: 1024, seed })
        : node('EmptyImage', { width: 1024, height: 1024, batch_size: 8, color: seed * 1000 + 7 }),
    save: node(save.class_type, { ...save.inputs, images: ['first', 0] }),
  };
}

export { node };
