import type { Operand, Operation } from '../../rules/define.ts';
import { ExactNumber, type Json } from '../kit/exact-json.ts';
import { numberedInputs } from './numbered-inputs.ts';
import {
  changeCase,
  createTextBudget,
  MAX_TEXT_CHARS,
  replaceByPattern,
  replaceText,
  type TextBudget,
  trimText,
} from './python-text.ts';

/** An operand that is no operation itself. */
export type SimpleOperand = Exclude<Operand, Operation>;

/** Gives an operand's value, or undefined when only a run could tell. */
type ValueOf = (operand: SimpleOperand) => Json | undefined;

/**
 * Computes one output of a string or number node. The meaning of every operation is ComfyUI's own.
 *
 * @param inputs names of the node's inputs, for operations that take every input of a prefix
 * @param budget what the graph's string nodes may still cost; spent here
 * @returns undefined when an operand is unknown, the result longer than any text that people write, or the budget spent
 */
export function compute(
  operation: Operation,
  inputs: readonly string[],
  lookUp: ValueOf,
  budget: TextBudget = createTextBudget(),
): Json | undefined {
  if (budget.chars <= 0) return undefined;
  const value = computeUnbounded(operation, inputs, lookUp, budget);
  // The smallest answer costs something too, as does what was read for it: a text that is cut to a word.
  budget.chars -= typeof value === 'string' ? value.length : 1;
  return value;
}

function computeUnbounded(
  operation: Operation,
  inputs: readonly string[],
  lookUp: ValueOf,
  budget: TextBudget,
): Json | undefined {
  const known = (operand: Operand): Json | undefined =>
    'op' in operand ? compute(operand, inputs, lookUp, budget) : lookUp(operand);
  const text = (operand: Operand): string | undefined => textOf(known(operand));
  const flag = (operand: Operand | undefined): boolean => operand !== undefined && known(operand) === true;
  switch (operation.op) {
    case 'join':
      return join(operation, inputs, text);
    case 'replace': {
      const [from, find, replacement] = [text(operation.text), text(operation.find), text(operation.with)];
      if (from === undefined || find === undefined || replacement === undefined) return undefined;
      return replaceText(from, find, replacement);
    }
    case 'regex-replace': {
      const [from, find, replacement] = [text(operation.text), text(operation.find), text(operation.with)];
      if (from === undefined || find === undefined || replacement === undefined) return undefined;
      const flags = `${flag(operation.ignoreCase) ? 'i' : ''}${flag(operation.multiline) ? 'm' : ''}${flag(operation.dotAll) ? 's' : ''}`;
      const count = operation.count === undefined ? 0 : Number(text(operation.count) ?? 0);
      return replaceByPattern(from, find, replacement, flags, count, budget);
    }
    case 'trim': {
      const [from, mode] = [text(operation.text), operation.mode ? text(operation.mode) : 'both'];
      return from === undefined || mode === undefined ? undefined : trimText(from, mode.toLowerCase());
    }
    case 'case': {
      const [from, mode] = [text(operation.text), text(operation.mode)];
      return from === undefined || mode === undefined ? undefined : changeCase(from, mode.toLowerCase());
    }
    case 'slice': {
      const [from, start, end] = [text(operation.text), text(operation.start), text(operation.end)];
      if (from === undefined || start === undefined || end === undefined) return undefined;
      // Python counts code points, so does the spread.
      return [...from].slice(Number(start), Number(end)).join('');
    }
    case 'length': {
      const from = text(operation.text);
      return from === undefined ? undefined : [...from].length;
    }
    case 'contains': {
      const [from, find] = [text(operation.text), text(operation.find)];
      if (from === undefined || find === undefined) return undefined;
      const exact = operation.caseSensitive === undefined || flag(operation.caseSensitive);
      return exact ? from.includes(find) : from.toLowerCase().includes(find.toLowerCase());
    }
    case 'compare': {
      const [a, b, mode] = [text(operation.a), text(operation.b), text(operation.mode)];
      if (a === undefined || b === undefined || mode === undefined) return undefined;
      const exact = operation.caseSensitive === undefined || flag(operation.caseSensitive);
      return exact ? compareTexts(a, b, mode) : compareTexts(a.toLowerCase(), b.toLowerCase(), mode);
    }
    case 'pick': {
      const by = text(operation.by);
      const picked = by === undefined ? undefined : caseOf(operation, by);
      return picked && known(picked);
    }
    case 'cast': {
      const value = known(operation.of);
      return value === undefined ? undefined : cast(value, operation.to);
    }
  }
}

/** A scalar as the graph spells it: 8.0 stays 8.0, a 64-bit seed exact. */
export function asText(value: Json): string {
  if (value instanceof ExactNumber) return value.text;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function textOf(value: Json | undefined): string | undefined {
  return value === undefined ||
    value === null ||
    (typeof value === 'object' && !(value instanceof ExactNumber))
    ? undefined
    : asText(value);
}

function join(
  operation: Extract<Operation, { op: 'join' }>,
  inputs: readonly string[],
  text: (operand: Operand) => string | undefined,
): string | undefined {
  const { parts, separator, skipEmpty } = operation;
  const operands =
    'prefix' in parts ? numberedInputs(inputs, parts.prefix).map((name) => ({ input: name })) : parts;
  const between = text(separator);
  const texts: string[] = [];
  for (const operand of operands) {
    const part = text(operand);
    if (part === undefined) return undefined;
    if (part !== '' || !skipEmpty) texts.push(part);
  }
  if (between === undefined) return undefined;
  const chars = texts.reduce((sum, part) => sum + part.length + between.length, 0);
  return chars > MAX_TEXT_CHARS ? undefined : texts.join(between);
}

function caseOf({ cases, otherwise }: Extract<Operation, { op: 'pick' }>, by: string): Operand | undefined {
  return Object.hasOwn(cases, by) ? cases[by] : otherwise;
}

function compareTexts(a: string, b: string, mode: string): boolean {
  if (mode === 'Starts With') return a.startsWith(b);
  return mode === 'Ends With' ? a.endsWith(b) : a === b;
}

function cast(value: Json, to: 'int' | 'float' | 'string' | 'boolean'): Json | undefined {
  const text = textOf(value);
  if (text === undefined) return undefined;
  if (to === 'string') return text;
  if (to === 'boolean') return text !== '' && text !== '0' && text !== 'false';
  const number = typeof value === 'boolean' ? Number(value) : Number(text);
  if (!Number.isFinite(number) || text.trim() === '') return undefined;
  if (to === 'float') return value instanceof ExactNumber ? value : number;
  return /^-?\d+$/.test(text) && !Number.isSafeInteger(number)
    ? new ExactNumber(String(BigInt(text)))
    : Math.trunc(number);
}
