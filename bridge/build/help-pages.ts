import { readFileSync } from 'node:fs';
import type { AnyNode } from '../../nodes/kit/define-node.ts';
import { inputsInOrder, type NamedInput, packNodes } from './node-words.ts';

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
  if (type === 'COMBO' && Array.isArray(options['options']))
    return options['options'].map((word) => `\`${inCell(String(word))}\``).join(' ');
  if (type === 'INT') return `${options['min']} to ${options['max']}`;
  return typeof type === 'string' ? type : type.join(' ');
}

/** A bar would end the cell. */
function inCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
