import { ExactNumber, type Json } from '../../kit/exact-json.ts';
import { visibleText } from '../../kit/visible-text.ts';
import type { ChangedInput, ChangedLink, NamedNode } from './diff-graphs.ts';
import type { PictureDiff } from './diff-pictures.ts';
import { diffWords, type WordDiff } from './diff-words.ts';

const SHOWN_CHARS = 80;

/** A difference for people, a line each; one line says that there is none. */
export function describeDiff({ same, fields, prompts, graph, unexplained }: PictureDiff): readonly string[] {
  if (same) return ['the same generation data'];
  return [
    ...fields.map(({ field, before, after, at }) => `${field}: ${change(before, after)}${places(at)}`),
    ...prompts.map(({ side, at, ...words }) => `${side} prompt: ${describeWords(words)}${places(at)}`),
    ...(graph?.removed ?? []).map((node) => `node ${nameOf(node)}: only in the first`),
    ...(graph?.added ?? []).map((node) => `node ${nameOf(node)}: only in the second`),
    ...unexplained.map(describeInput),
    ...(graph?.links ?? []).map(describeLink),
  ].map(visibleText);
}

function change(before: string | undefined, after: string | undefined): string {
  if (before === undefined) return `only in the second, ${cut(after ?? '')}`;
  return after === undefined ? `only in the first, ${cut(before)}` : `${cut(before)} -> ${cut(after)}`;
}

function places(at: readonly string[]): string {
  return at.length === 0 ? '' : ` (${at.join(', ')})`;
}

function describeWords({ removed, added, reweighted }: WordDiff): string {
  return [
    ...removed.map((run) => `- ${cut(run)}`),
    ...added.map((run) => `+ ${cut(run)}`),
    ...reweighted.map(({ text, before, after }) => `${text} ${before} -> ${after}`),
  ].join('; ');
}

function describeInput({ node, input, before, after }: ChangedInput): string {
  const place = `${nameOf(node)}.${input}`;
  const isProse = typeof before === 'string' && typeof after === 'string' && /\s/.test(before + after);
  const words = isProse ? describeWords(diffWords(before, after)) : '';
  return `${place}: ${words === '' ? change(textOf(before), textOf(after)) : words}`;
}

function describeLink({ node, input, before, after }: ChangedLink): string {
  const source = (from: ChangedLink['before']): string =>
    from ? `output ${from.slot} of ${nameOf(from)}` : 'no link';
  return `${nameOf(node)}.${input}: ${source(before)} -> ${source(after)}`;
}

function nameOf({ id, classType }: NamedNode): string {
  return `${id} ${classType}`;
}

function textOf(value: Json | undefined): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  return value instanceof ExactNumber ? value.text : JSON.stringify(value);
}

function cut(text: string): string {
  const chars = [...text.slice(0, SHOWN_CHARS * 2)];
  return chars.length <= SHOWN_CHARS ? chars.join('') : `${chars.slice(0, SHOWN_CHARS - 1).join('')}…`;
}
