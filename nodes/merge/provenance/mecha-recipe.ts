import { LineageError } from '../../kit/errors.ts';
import type { RecipeInput, RecipeTree } from './recipe-tree.ts';

/** Longer recipes are no recipes. */
const MAX_LINES = 100_000;
/** A dict may hold the one before it twice, and so on: what is longer is cut. */
const MAX_VALUE_CHARACTERS = 1_000;

type Value = RecipeTree | string | number | undefined;

/**
 * Reads sd-mecha's text format: one instruction a line, each result named by its place (`&0`).
 *
 * @see sd-mecha 1.1.8, format version 0.1.0
 * @throws LineageError `recipe/malformed` with the line
 */
export function parseMechaRecipe(text: string): RecipeTree {
  const [version = '', ...lines] = text.split('\n');
  if (!/^version 0\.\d+\.\d+\s*$/.test(version)) throw malformed(1, '"version 0.1.0"', version);
  if (lines.length > MAX_LINES) throw malformed(MAX_LINES, `at most ${MAX_LINES} lines`, 'more');
  const results: Value[] = [];
  lines.forEach((line, index) => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return;
    results.push(readInstruction(trimmed, index + 2, results));
  });
  const last = results.at(-1);
  if (typeof last !== 'object')
    throw malformed(lines.length + 1, 'a merge or a model as the last line', 'none');
  return last;
}

function readInstruction(line: string, number: number, results: readonly Value[]): Value {
  const [command, ...words] = splitWords(line, number);
  const given = words.map((word) => readArgument(word, number, results));
  const positional = given.filter(({ name }) => name === undefined).map(({ value }) => value);
  const [first, ...rest] = positional;
  switch (command) {
    case 'model':
      if (typeof first !== 'string') throw malformed(number, 'the path of a model', String(first));
      return { kind: 'file', name: first.split(/[\\/]/).at(-1) ?? first };
    case 'merge': {
      if (typeof first !== 'string') throw malformed(number, 'the name of a method', String(first));
      const named = given.flatMap(({ name, value }) => (name === undefined ? [] : [{ name, value }]));
      const inputs: RecipeInput[] = [
        ...rest.flatMap((value) => (typeof value === 'object' ? [{ of: value }] : [])),
        ...named.flatMap(({ name, value }) => (typeof value === 'object' ? [{ role: name, of: value }] : [])),
      ];
      const params: [string, string][] = [
        ...rest.flatMap((value, index): [string, string][] =>
          typeof value === 'object' ? [] : [[String(index), textOf(value)]],
        ),
        ...named.flatMap(({ name, value }): [string, string][] =>
          typeof value === 'object' ? [] : [[name, textOf(value)]],
        ),
      ];
      // A number that is the same for every tensor comes in this wrapping.
      if (first === 'convert_singleton' && inputs.length === 0) return params[0]?.[1];
      return { kind: 'operation', name: first, params, inputs };
    }
    case 'literal':
      return first;
    case 'dict':
      if (given.length === 1 && given[0]?.name === 'key') return given[0].value;
      return joinCut(given.map(({ name, value }) => [name ?? '', value]));
    default:
      throw malformed(number, 'dict, literal, model or merge', command ?? '');
  }
}

/** As the recipe spells it; of a model its name. */
function textOf(value: Value): string {
  return typeof value === 'object' ? value.name : String(value ?? 'null');
}

function joinCut(entries: readonly (readonly [string, Value])[]): string {
  let text = '';
  for (const [name, value] of entries) {
    text += `${text === '' ? '' : ' '}${name}=${textOf(value)}`;
    if (text.length > MAX_VALUE_CHARACTERS) return `${text.slice(0, MAX_VALUE_CHARACTERS)}…`;
  }
  return text;
}

function readArgument(word: string, number: number, results: readonly Value[]) {
  const equals = word.startsWith('"') ? -1 : word.indexOf('=');
  const name = equals < 0 ? undefined : word.slice(0, equals);
  const text = word.slice(equals + 1);
  return { name, value: readValue(text, number, results) };
}

function readValue(text: string, number: number, results: readonly Value[]): Value {
  if (text.startsWith('"')) return text.slice(1, -1);
  if (text.startsWith('&')) {
    const index = Number(text.slice(1));
    if (!Number.isInteger(index) || index < 0 || index >= results.length)
      throw malformed(number, 'the place of an earlier line', text);
    return results[index];
  }
  if (text === 'null' || text === 'None') return undefined;
  if (text === 'true' || text === 'false') return text;
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) throw malformed(number, 'a number, a text or a reference', text);
  return value;
}

/** Words apart by spaces; a text in quotes is one word, with its quotes, and a backslash takes the next sign as it is. */
function splitWords(line: string, number: number): string[] {
  const words: string[] = [];
  let word = '';
  let isQuoted = false;
  for (let at = 0; at < line.length; at++) {
    const sign = line[at] ?? '';
    if (sign === '\\' && at + 1 < line.length) word += line[++at] ?? '';
    else if (sign === ' ' && !isQuoted) {
      if (word !== '') words.push(word);
      word = '';
    } else {
      if (sign === '"') isQuoted = !isQuoted;
      word += sign;
    }
  }
  if (isQuoted) throw malformed(number, 'a closing quote', 'the end of the line');
  return word === '' ? words : [...words, word];
}

function malformed(line: number, expected: string, got: string): LineageError {
  return new LineageError('recipe/malformed', `expected ${expected}, got ${got.slice(0, 60) || 'nothing'}`, {
    line,
  });
}
