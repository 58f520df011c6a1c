import type { Field } from './fields.ts';

/** A menu whose words bring inputs of their own (618b803d comfy_api/latest/_io.py DynamicCombo). */
export const DYNAMIC_COMBO = 'COMFY_DYNAMICCOMBO_V3';

/** An input as ComfyUI declares it: `[type, options]` of `/object_info`. */
export type InputSpec = {
  /** A socket or widget type (`INT`, `IMAGE`), several (`IMAGE,MASK`), any (`*`), or the words of a menu. */
  readonly type: string | readonly string[];
  /** `default min max step multiline tooltip lazy rawLink options advanced …`; a bigint where a number is no safe integer. */
  readonly options: Readonly<Record<string, unknown>>;
};

/** How ComfyUI spells a field of ours. Both hosts show nodes by it. */
export function toInputSpec(field: Field): InputSpec {
  const common = { tooltip: field.tooltip, ...(field.advanced && { advanced: true }) };
  switch (field.kind) {
    case 'images':
      return { type: 'IMAGE', options: common };
    case 'text':
      return {
        type: 'STRING',
        options: { ...common, default: field.default, multiline: field.multiline ?? false },
      };
    case 'integer':
      return {
        type: 'INT',
        options: { ...common, default: field.default, min: field.min, max: field.max, step: 1 },
      };
    case 'number':
      return {
        type: 'FLOAT',
        options: { ...common, default: field.default, min: field.min, max: field.max, step: field.step },
      };
    case 'model':
      // The host fills the menu, anew each time it is asked: files come and go.
      return { type: 'COMBO', options: { ...common, options: [], model_folders: field.folders } };
    case 'toggle':
      return { type: 'BOOLEAN', options: { ...common, default: field.default } };
    case 'choice':
      return { type: 'COMBO', options: { ...common, default: field.default, options: field.options } };
    case 'dynamic-choice': {
      const options = Object.entries(field.options).map(([key, fields]) => ({
        key,
        inputs: inGroups(fields),
      }));
      return { type: DYNAMIC_COMBO, options: { ...common, options } };
    }
    case 'custom':
      return { type: field.type, options: common };
  }
}

/** The inputs of a word of a dynamic choice, as `/object_info` spells those of a class. */
function inGroups(fields: Readonly<Record<string, Field>>): Readonly<Record<string, object>> {
  const specs = Object.entries(fields).map(([name, field]) => {
    const { type, options } = toInputSpec(field);
    return { isOptional: field.optional === true, entry: [name, [type, options]] as const };
  });
  const group = (isOptional: boolean): object =>
    Object.fromEntries(specs.filter((each) => each.isOptional === isOptional).map(({ entry }) => entry));
  // ComfyUI lists the required ones even where there are none.
  return {
    required: group(false),
    ...(specs.some(({ isOptional }) => isOptional) && { optional: group(true) }),
  };
}
