import { checkParams } from '../check-params.ts';
import type { AnyMethod, Param } from '../method.ts';
import { wrongInput } from './step-words.ts';

type Values = Readonly<Record<string, number | string | boolean>>;

/**
 * Parameters of a method as people type them: `t=0.35, scope=tensor`, with commas or line ends between them. What is
 * not named keeps its default and is not in the answer.
 *
 * @throws LineageError `merge/graph` for a text of another form, `merge/parameter` for what the method does not take
 */
export function parseParams(text: string | undefined, method: AnyMethod): Values {
  const values: Record<string, number | string | boolean> = {};
  for (const pair of (text ?? '').split(/[,;\n]/)) {
    if (pair.trim() === '') continue;
    const [, name, word] = /^\s*([A-Za-z0-9_-]+)\s*[=:]\s*(\S+)\s*$/.exec(pair) ?? [];
    if (name === undefined || word === undefined)
      throw wrongInput('params', 'NAME=VALUE, with commas between', pair.trim());
    if (Object.hasOwn(values, name)) throw wrongInput('params', `"${name}" once`, 'it twice');
    const param = Object.hasOwn(method.params, name) ? method.params[name] : undefined;
    values[name] = param ? readValue(word, param) : word;
  }
  checkParams(method, values);
  return values;
}

/** The text that `parseParams` reads. */
export function formatParams(params: Values): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

/** A word that is no value of its kind stays a word: the check of the parameter says what is wrong. */
function readValue(word: string, param: Param): number | string | boolean {
  if ('choices' in param) return word;
  if ('min' in param) return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) ? Number(word) : word;
  const isSwitch = /^(true|false)$/i.test(word);
  return isSwitch ? word.toLowerCase() === 'true' : word;
}
