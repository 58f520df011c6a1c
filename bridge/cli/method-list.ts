import type { AnyMethod, Param } from '../../nodes/merge/method.ts';

/** The merge methods and their parameters, for people or as JSON. */
export function describeMethods(methods: readonly AnyMethod[], asJson: boolean): string {
  if (asJson)
    return JSON.stringify(
      methods.map(({ id, title, description, source, models, base, weighted, params, presets }) => {
        return { id, title, description, source, models, base, weighted, params, presets };
      }),
    );
  return methods.map(describe).join('\n\n');
}

function describe({ id, title, description, models, base, params }: AnyMethod): string {
  const { min, max } = models;
  const count = max === min ? `${min}` : max === undefined ? `${min} or more` : `${min} to ${max}`;
  const bases = { none: '', optional: ', with or without --base', required: ', with --base' };
  const rows = Object.entries(params).map(
    ([name, param]) => `    ${name}: ${range(param)}. ${param.tooltip}`,
  );
  return [`${id} (${title}), ${count} models${bases[base]}`, `  ${description}`, ...rows].join('\n');
}

function range(param: Param): string {
  if ('choices' in param) return `${param.choices.join(' | ')}, default ${param.default}`;
  if (!('min' in param)) return `true | false, default ${param.default}`;
  return `${param.min} to ${param.max}, default ${param.default}`;
}
