import type { GraphNode, OutputSpec } from '../../../nodes/kit/graph-node.ts';
import type { InputSpec } from '../../../nodes/kit/input-spec.ts';

/** A test node; its title and description are its id. */
export type TestNode = Omit<GraphNode, 'title' | 'category' | 'description'> & { readonly category?: string };

/** Makes a node of the testing pack. */
export function testNode({ category = 'Testing', ...node }: TestNode): GraphNode {
  return { title: node.id, description: '', category, ...node };
}

/** An input. */
export function input(type: string, options: InputSpec['options'] = {}): InputSpec {
  return { type, options };
}

/** Inputs with a name for each number from `from` to, not including, `to`. */
export function numbered(
  name: string,
  from: number,
  to: number,
  spec: InputSpec,
): Readonly<Record<string, InputSpec>> {
  return Object.fromEntries(Array.from({ length: to - from }, (_, i) => [`${name}${from + i}`, spec]));
}

/** One output of a type, named like it. */
export function output(type: string, name = type): OutputSpec {
  return { type, name };
}

/** The input `input1` and so on of two values that are pictures or numbers. */
export const IMAGE_OR_FLOAT = 'IMAGE,FLOAT';
