import { ExactNumber, type Json } from '../../../nodes/kit/exact-json.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';

/**
 * Keys whose words clients match on: they are kept; every other text becomes `string`. Numbers are kept where they
 * are whole, since they count something (a queue, steps, outputs); times and sizes are not whole or not listed.
 */
const KEPT = new Set([
  ...['type', 'state', 'status', 'status_str', 'message', 'exception_type', 'error', 'storage', 'server'],
  ...['node', 'node_id', 'display_node', 'display_node_id', 'real_node_id', 'parent_node_id', 'parent_node'],
  ...['node_type', 'class_type', 'node_title', 'nodeId', 'mediaType', 'input_name', 'linked_node'],
  ...['queue_remaining', 'value', 'max', 'outputs_count', 'total', 'limit', 'offset', 'number', 'priority'],
  ...['filename', 'subfolder', 'name', 'path', 'prompt_id', 'id', 'image_type', 'workflow_id', 'pathIndex'],
]);
/** Lists of node ids, whose order ComfyUI leaves open. */
const SETS = new Set(['executed', 'current_outputs', 'nodes', 'dependent_outputs']);
/** Inputs as Python prints them: which there are, not what they say. */
const PRINTED = new Set(['current_inputs']);
/** Lists of any length. */
const OPEN = new Set(['traceback', 'argv', 'entries']);

/** An input as it was declared. */
const DECLARED = 'input_config';
/** The messages of a history entry: pairs of a type and its data. */
const MESSAGES = 'messages';

/** What is compared of a JSON value: keys, JSON types, and the kept words. */
export function shapeOf(value: Json, key = ''): Json {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return value === '' ? '' : KEPT.has(key) ? settle(value) : 'string';
  if (typeof value === 'number' || value instanceof ExactNumber) {
    const number = Number(value);
    return KEPT.has(key) && Number.isInteger(number) ? number : 'number';
  }
  if (key === DECLARED) return describeClass(value);
  if (Array.isArray(value)) {
    if (key === MESSAGES) return value.map(([type, data]) => [type, shapeOf(data)]);
    if (SETS.has(key)) return value.map(String).sort();
    if (OPEN.has(key)) return eachOf(value, key);
    return value.map((one: Json) => shapeOf(one, key));
  }
  if (!isRecord(value)) return 'unknown';
  if (PRINTED.has(key))
    return Object.fromEntries(
      Object.keys(value)
        .sort()
        .map((name) => [name, 'printed']),
    );
  // A node of a prompt graph: its literals are the client's own, so they are kept to the letter.
  const isNode = 'class_type' in value && 'inputs' in value;
  const entries = Object.entries(value as Readonly<Record<string, Json>>).map(([name, one]) => {
    if (isNode && name === 'inputs') return [name, JSON.stringify(one)] as const;
    return [settle(name), shapeOf(one, name)] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The distinct shapes in a list of which only the kind matters. */
export function eachOf(list: readonly Json[], key = ''): Json {
  const shapes = new Set(list.map((one) => JSON.stringify(shapeOf(one, key))));
  return { each: [...shapes].sort().map((text) => JSON.parse(text) as Json) };
}

/** Texts for people in a class description: only that they are there. */
const PROSE = new Set([
  'description',
  'tooltip',
  'display_name',
  'category',
  'python_module',
  'output_tooltips',
]);

/** A class of `/object_info`: inputs, types and defaults as they are, prose as `string`. */
export function describeClass(value: Json, key = ''): Json {
  if (PROSE.has(key)) return shapeOf(value, key);
  if (Array.isArray(value)) return value.map((one: Json) => describeClass(one));
  if (value instanceof ExactNumber) return Number.isSafeInteger(value.value) ? value.value : value.text;
  if (!isRecord(value)) return value;
  const entries = Object.entries(value as Readonly<Record<string, Json>>);
  // The order of inputs is told by `input_order`, so that of keys need not be kept.
  return Object.fromEntries(
    entries
      .map(([name, one]) => [name, describeClass(one, name)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Takes chance out of a word: ids and folders made up by a server. */
function settle(word: string): string {
  return word
    .replace(/\b(?!00000000-)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<uuid>')
    .replace(/\b[0-9a-f]{32}\b/g, '<hex>')
    .replace(/_temp_[a-z]{5}_/g, '_temp_<letters>_');
}
