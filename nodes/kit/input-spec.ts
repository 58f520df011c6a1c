import type { Field } from './fields.ts';

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
    case 'custom':
      return { type: field.type, options: common };
  }
}
