import { LineageError } from '../../kit/errors.ts';
import { isRecord } from '../../kit/is-record.ts';
import type { RecipeInput, RecipeTree } from './recipe-tree.ts';

/**
 * Reads a mergekit configuration, parsed from its YAML.
 *
 * @see mergekit 0.1.4, docs: merge_method, base_model, models or slices, parameters
 * @throws LineageError `recipe/malformed`
 */
export function readMergekitConfig(config: unknown): RecipeTree {
  if (!isRecord(config) || typeof config['merge_method'] !== 'string')
    throw new LineageError('recipe/malformed', 'mergekit: expected merge_method, got none');
  const base = modelName(config['base_model']);
  const inputs: RecipeInput[] = [
    ...(base === undefined ? [] : [{ role: 'base', of: file(base) }]),
    ...listOf(config['models']).map((each) => inputOf(each, undefined)),
    ...listOf(config['slices']).flatMap((slice, index) =>
      listOf(isRecord(slice) ? slice['sources'] : undefined).map((each) =>
        inputOf(each, `slice ${index + 1}`),
      ),
    ),
  ];
  if (inputs.length === 0)
    throw new LineageError('recipe/malformed', 'mergekit: expected models or slices, got neither');
  const params = paramsOf(config['parameters']);
  for (const key of ['dtype', 'out_dtype', 'tokenizer_source', 't'])
    if (config[key] !== undefined) params.push([key, textOf(config[key])]);
  return { kind: 'operation', name: config['merge_method'], params, inputs };
}

function inputOf(entry: unknown, slice: string | undefined): RecipeInput {
  const name = isRecord(entry) ? modelName(entry['model']) : modelName(entry);
  if (name === undefined)
    throw new LineageError('recipe/malformed', 'mergekit: expected the name of a model, got none');
  const given = isRecord(entry) ? paramsOf(entry['parameters']) : [];
  const range =
    isRecord(entry) && entry['layer_range'] !== undefined ? ` layers ${textOf(entry['layer_range'])}` : '';
  const weight = given.find(([key]) => key === 'weight')?.[1];
  const others = given.filter(([key]) => key !== 'weight' || !isNumeric(weight));
  const role = [`${slice ?? ''}${range}`.trim(), ...others.map(([key, value]) => `${key}=${value}`)]
    .filter((part) => part !== '')
    .join(' ');
  return {
    ...(role !== '' && { role }),
    ...(isNumeric(weight) && { weight: Number(weight) }),
    of: file(name),
  };
}

function isNumeric(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== '' && Number.isFinite(Number(text));
}

/** A name, or `{model: {path}, lora: {path}}` as newer versions write it. */
function modelName(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!isRecord(value)) return undefined;
  const path = modelName(value['model'] ?? value['path']);
  const lora = modelName(value['lora']);
  return path === undefined || lora === undefined ? path : `${path}+${lora}`;
}

function file(name: string): RecipeTree {
  return { kind: 'file', name };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function paramsOf(value: unknown): [string, string][] {
  return isRecord(value)
    ? Object.entries(value).map(([key, each]): [string, string] => [key, textOf(each)])
    : [];
}

/** A number, a gradient, or a list by filters, in one line. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
