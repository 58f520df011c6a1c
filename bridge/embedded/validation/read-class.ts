import { pythonTypeOf } from '../../../nodes/kit/api-prompt.ts';
import { LineageError } from '../../../nodes/kit/errors.ts';
import type { Json } from '../../../nodes/kit/exact-json.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import type { NodeTable } from '../nodes/node-table.ts';
import type { ApiError } from './api-error.ts';
import type { TypedNode } from './check-node.ts';
import { promptError } from './input-errors.ts';
import { toPythonText } from './python-value.ts';

/** How an unknown class is reported: as ComfyUI 0.8, or as the versions after it. */
export type ErrorStyle = 'newest' | 'v0.8';

/**
 * Finds the class of a node.
 * @throws LineageError `prompt/malformed` where ComfyUI fails on the shape of the node
 * @see ComfyUI 618b803d execution.py validate_prompt; the newest style: 04e2a914 execution.py
 */
export function readTypedNode(
  id: string,
  node: unknown,
  nodes: NodeTable,
  style: ErrorStyle,
): { readonly node: TypedNode } | { readonly error: ApiError } {
  const text = typeof node === 'string' ? node : undefined;
  const isWithout = isRecord(node)
    ? !Object.hasOwn(node, 'class_type')
    : // ComfyUI asks Python's `in`, which texts and lists answer too.
      text !== undefined
      ? !text.includes('class_type')
      : Array.isArray(node) && !node.includes('class_type');
  if (isWithout) return { error: missingClass(id, node, style) };
  if (!isJsonRecord(node))
    throw malformed('expected a node with class_type and inputs, got something else', id);
  const classType = node['class_type'] ?? null;
  if (pythonTypeOf(classType) === 'list' || pythonTypeOf(classType) === 'dict') {
    throw malformed('expected a class_type of text, got a list or object', id);
  }
  if (typeof classType === 'string' && nodes.has(classType))
    return { node: { ...node, class_type: classType } };
  return { error: unknownClass(id, node, classType, style) };
}

/** Whoever parsed the prompt made it of JSON alone. */
function isJsonRecord(value: unknown): value is Readonly<Record<string, Json>> {
  return isRecord(value);
}

function missingClass(id: string, node: unknown, style: ErrorStyle): ApiError {
  const details = `Node ID '#${id}'`;
  if (style === 'v0.8') {
    const message = 'Cannot execute because a node is missing the class_type property.';
    return promptError('invalid_prompt', message, details);
  }
  const title = titleOf(node) ?? null;
  const message = `Node '${typeof title === 'string' && title !== '' ? title : `ID #${id}`}' has no class_type. The workflow may be corrupted or a custom node is missing.`;
  return promptError('missing_node_type', message, details, {
    node_id: id,
    class_type: null,
    node_title: title,
  });
}

function unknownClass(id: string, node: unknown, classType: Json, style: ErrorStyle): ApiError {
  const details = `Node ID '#${id}'`;
  if (style === 'v0.8') {
    const message = `Cannot execute because node ${toPythonText(classType)} does not exist.`;
    return promptError('invalid_prompt', message, details);
  }
  const title = titleOf(node) ?? classType;
  const message = `Node '${toPythonText(title)}' not found. The custom node may not be installed.`;
  return promptError('missing_node_type', message, details, {
    node_id: id,
    class_type: classType,
    node_title: title,
  });
}

function titleOf(node: unknown): Json | undefined {
  const meta = isJsonRecord(node) ? (node['_meta'] ?? null) : null;
  return isJsonRecord(meta) && Object.hasOwn(meta, 'title') ? meta['title'] : undefined;
}

/** A prompt that ComfyUI itself fails on. */
export function malformed(message: string, node?: string): LineageError {
  return new LineageError('prompt/malformed', message, node === undefined ? {} : { node });
}
