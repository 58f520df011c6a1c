import { readFileSync } from 'node:fs';
import { inputsInOrder, type NamedInput } from '../../nodes/kit/canvas-inputs.ts';
import type { AnyNode } from '../../nodes/kit/define-node.ts';
import { DYNAMIC_COMBO } from '../../nodes/kit/input-spec.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import { BLOCK_PRESETS } from '../../nodes/merge/architectures/block-presets.ts';
import blockWeightsNode from '../../nodes/merge/graph/block-weights.node.ts';
import mergeNode, { MERGE_MODELS } from '../../nodes/merge/graph/merge.node.ts';
import type { Param } from '../../nodes/merge/method.ts';
import { mergeMethods } from '../../nodes/merge/methods/index.gen.ts';
import { packNodes } from './node-words.ts';

const WRITTEN = new URL('../../web/help/', import.meta.url);

/**
 * The help pages that ComfyUI's front end shows for our nodes (`docs/<node id>.md`): what a person wrote in
 * `web/help/`, and tables of the inputs and outputs from the definitions.
 * @returns file name to Markdown
 */
export function helpPages(): ReadonlyMap<string, string> {
  return new Map(packNodes.map((node) => [`${node.id}.md`, pageOf(node)]));
}

function pageOf(node: AnyNode): string {
  const written = readFileSync(new URL(`${node.id}.md`, WRITTEN), 'utf8').trim();
  const outputs = Object.entries(node.outputs).map(
    ([name, { type, tooltip }]) => `| \`${name}\` | ${type} | ${inCell(tooltip)} |`,
  );
  return [
    `# ${node.title}`,
    node.description,
    written,
    ['## Inputs', '', '| input | takes | default | what it does |', '|---|---|---|---|']
      .concat(inputsInOrder(node).map(inputRow))
      .join('\n'),
    ['## Outputs', '', '| output | type | what it is |', '|---|---|---|'].concat(outputs).join('\n'),
    ...(node.id === mergeNode.id ? [methodTable()] : []),
    ...(node.id === blockWeightsNode.id ? [presetList()] : []),
    '',
  ].join('\n\n');
}

function inputRow(input: NamedInput): string {
  const { name, optional, options } = input;
  const byDefault = options['default'];
  const shown = byDefault === undefined || byDefault === '' ? '' : `\`${inCell(String(byDefault))}\``;
  const takes = `${takenBy(input)}${optional ? ', optional' : ''}`;
  return `| \`${name}\` | ${takes} | ${shown} | ${inCell(String(options['tooltip'] ?? ''))} |`;
}

function takenBy({ type, options }: NamedInput): string {
  const folders = options['model_folders'];
  if (Array.isArray(folders)) return `a file in ${folders.join(', ')}`;
  if (type === 'COMBO' && Array.isArray(options['options']))
    return options['options'].map((word) => `\`${inCell(String(word))}\``).join(' ');
  if (type === DYNAMIC_COMBO) return wordsOf(options['options']);
  if (type === 'INT' || type === 'FLOAT') return `${options['min']} to ${options['max']}`;
  return typeof type === 'string' ? type : type.join(' ');
}

/** The words of a dynamic choice; its inputs have a table of their own. */
function wordsOf(options: unknown): string {
  const words: readonly unknown[] = Array.isArray(options) ? options : [];
  return words.map((each) => `\`${inCell(isRecord(each) ? String(each['key']) : '')}\``).join(' ');
}

function presetList(): string {
  return ['## Presets', [...BLOCK_PRESETS.keys()].map((name) => `\`${name}\``).join(' ')].join('\n\n');
}

/** What each merge method takes. */
function methodTable(): string {
  const rows = mergeMethods.map(({ id, description, models, base, weighted, params }) => {
    const count =
      models.max === models.min ? `${models.min}` : `${models.min} to ${models.max ?? MERGE_MODELS}`;
    const takes = [
      `${count} models`,
      ...(weighted ? ['weights'] : []),
      ...(base === 'none' ? [] : [`base (${base})`]),
    ];
    const named = Object.entries(params).map(
      ([name, param]) => `\`${name}=${param.default}\` ${rangeOf(param)}`,
    );
    return `| \`${id}\` | ${takes.join(', ')} | ${inCell(named.join('; '))} | ${inCell(description)} |`;
  });
  return [
    '## Methods',
    '',
    '| method | merges | parameters and their defaults | what it does |',
    '|---|---|---|---|',
  ]
    .concat(rows)
    .join('\n');
}

function rangeOf(param: Param): string {
  if ('choices' in param) return `(${param.choices.join(', ')})`;
  return 'min' in param ? `(${param.min} to ${param.max})` : '(true, false)';
}

/** A bar would end the cell. */
function inCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
