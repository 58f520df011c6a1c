import { DYNAMIC_COMBO } from '../kit/input-spec.ts';
import type { InputDefinition } from './node-definitions.ts';

/** A group of inputs that grows by one as its last is connected (618b803d comfy_api/latest/_io.py Autogrow). */
export const AUTOGROW = 'COMFY_AUTOGROW_V3';

/** Types for which the front end shows a widget (1.35.9 scripts/widgets.ts and its own extensions). */
const WIDGET_TYPES: ReadonlySet<string> = new Set([
  ...['INT', 'FLOAT', 'STRING', 'BOOLEAN', 'COMBO', DYNAMIC_COMBO],
  ...[
    'COLOR',
    'MARKDOWN',
    'TEXTAREA',
    'CURVE',
    'RANGE',
    'BOUNDING_BOX',
    'WEBCAM',
    'LOAD_3D',
    'LOAD3D_CAMERA',
  ],
]);

/** Inputs with this option come with a button or a player that older files hold a value of. */
const UPLOAD_OPTIONS = [
  'image_upload',
  'animated_image_upload',
  'video_upload',
  'audio_upload',
  'file_upload',
] as const;

/** Whether an input has a widget whose value a workflow holds. */
export function isWidget(input: InputDefinition): boolean {
  return hasWidgetType(input) && !isForced(input);
}

/** `forceInput` makes a socket of what would be a widget; files from before front end 1.16 hold a value all the same. */
export function isForced(input: InputDefinition): boolean {
  return hasWidgetType(input) && input.options['forceInput'] === true;
}

function hasWidgetType({ type, options }: InputDefinition): boolean {
  return WIDGET_TYPES.has(typeof options['widgetType'] === 'string' ? options['widgetType'] : type);
}

/** Whether an upload button stands behind the required inputs. */
export function hasUpload(inputs: readonly InputDefinition[]): boolean {
  return inputs.some(({ options }) => UPLOAD_OPTIONS.some((option) => options[option] === true));
}

/**
 * How many values stand behind that of a widget and say what becomes of it after a run: `control_after_generate`, and
 * for menus the filter of its words.
 */
export function controlsBehind({
  name,
  type,
  options,
}: Pick<InputDefinition, 'name' | 'type' | 'options'>): 0 | 1 | 2 {
  const asked =
    options['control_after_generate'] ?? (type === 'INT' && (name === 'seed' || name === 'noise_seed'));
  // A text is the name of the widget, or since 1.4x its first value.
  if (asked !== true && (typeof asked !== 'string' || asked === '')) return 0;
  if (type === 'INT') return 1;
  return type === 'COMBO' ? 2 : 0;
}
