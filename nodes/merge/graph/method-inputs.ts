import { choice, integer, number, toggle, type WidgetField } from '../../kit/fields.ts';
import type { Param, Params } from '../method.ts';
import type { Words } from './merge-value.ts';

/**
 * Widgets for the parameters of a method, from its descriptor. All are optional: a prompt that sets none of them, as
 * those that were made for `params` alone, leaves the defaults.
 */
export function fieldsOf(params: Params): Readonly<Record<string, WidgetField>> {
  return Object.fromEntries(Object.entries(params).map(([name, param]) => [name, fieldOf(param)]));
}

function fieldOf(param: Param): WidgetField {
  const common = { tooltip: param.tooltip, optional: true } as const;
  if ('choices' in param) return choice(param.choices, { ...common, default: param.default });
  if (!('min' in param)) return toggle({ ...common, default: param.default });
  const range = { min: param.min, max: param.max, default: param.default };
  return param.integer
    ? integer({ ...common, ...range })
    : number({ ...common, ...range, step: stepOf(param.default) });
}

/** A hundredth, or the last digit of a default that has more: the front end rounds what is typed to the step's digits. */
function stepOf(byDefault: number): number {
  const [mantissa = '', exponent = '0'] = byDefault.toExponential().split('e');
  const digits = mantissa.replace(/^-?\d\.?/, '').length - Number(exponent);
  return Number(`1e-${Math.max(2, digits)}`);
}

/**
 * What the widgets of a method say beside its `params` line: values that are no defaults, of parameters that the line
 * does not name.
 *
 * @param typed values of the widgets, undefined where a prompt has none
 * @param named what the line says
 */
export function addTyped(typed: Words, named: Words, params: Params): Words {
  const said = Object.entries(typed).filter(
    ([name, value]) => value !== undefined && value !== params[name]?.default,
  );
  return { ...Object.fromEntries(said), ...named };
}

/**
 * Parameters of a step as inputs of a node: widgets for what they can say, the rest for the `params` line.
 *
 * @param held a parameter that something else sets, which only the line can name
 */
export function splitParams<V>(
  values: Readonly<Record<string, V>>,
  params: Params,
  held?: string,
): { readonly typed: Readonly<Record<string, V>>; readonly line: Readonly<Record<string, V>> } {
  const isTyped = ([name, value]: readonly [string, V]): boolean => {
    const param = Object.hasOwn(params, name) ? params[name] : undefined;
    // A default that the step spells out would be dropped.
    return name !== held && typeof value === typeof param?.default && value !== param?.default;
  };
  const entries = Object.entries(values);
  return {
    typed: Object.fromEntries(entries.filter(isTyped)),
    line: Object.fromEntries(entries.filter((entry) => !isTyped(entry))),
  };
}
