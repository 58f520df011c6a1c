import { ExactNumber, type Json } from '../kit/exact-json.ts';
import { DYNAMIC_COMBO } from '../kit/input-spec.ts';
import { isRecord } from '../kit/is-record.ts';
import { defaultOf, grownWidgets, inputsBehind, isPlain, MAX_NESTING } from './dynamic-inputs.ts';
import type { InputDefinition, NodeDefinition } from './node-definitions.ts';
import { AUTOGROW, controlsBehind, hasUpload, isForced, isWidget } from './widget-types.ts';
import type { WorkflowNode } from './workflow.ts';

/** What a list of values may hold beside one for each widget of today's class. */
type Layout = { readonly uploads: boolean; readonly forced: boolean; readonly controls: boolean };

/** The first that fits best is taken: what the front end writes today comes first. */
const LAYOUTS: readonly Layout[] = [true, false].flatMap((controls) =>
  [false, true].flatMap((forced) => [true, false].map((uploads) => ({ uploads, forced, controls }))),
);
/** A value of another type weighs as much as ten that are missing or too many. */
const WRONG_TYPE = 10;
/** One reading of a list of values. */
type Reading = {
  readonly found: Map<string, Json>;
  /** Widgets that the list was too short for. */
  readonly absent: { readonly name: string; readonly value: Json | undefined }[];
  /** Names of widgets that got a value of another type. */
  readonly unfit: string[];
  cost: number;
  used: number;
};

/** Reads a list of values in each way that files were written, and takes the one that fits the class best. */
export function readList(node: WorkflowNode, definition: NodeDefinition, list: readonly Json[]): Reading {
  let best: Reading | undefined;
  for (const layout of LAYOUTS) {
    const reading = readAs(node, definition.inputs, list, layout);
    if (!best || reading.cost < best.cost) best = reading;
  }
  return best ?? { found: new Map(), absent: [], unfit: [], cost: 0, used: 0 };
}

function readAs(
  node: WorkflowNode,
  inputs: readonly InputDefinition[],
  list: readonly Json[],
  layout: Layout,
): Reading {
  const reading: Reading = { found: new Map(), absent: [], unfit: [], cost: 0, used: 0 };
  const skip = (count: number, fits: (value: Json) => boolean): void => {
    for (let i = 0; i < count && reading.used < list.length; i++) {
      const value = list[reading.used++];
      if (value !== undefined && value !== null && !fits(value)) reading.cost += WRONG_TYPE;
    }
  };
  /** A menu that the server fills has a switch and a button to fill it anew. */
  const skipRefresh = (): void => {
    if (typeof list[reading.used] === 'boolean') reading.used++;
    if (list[reading.used] === 'refresh') reading.used++;
  };
  const take = (input: InputDefinition, name: string, depth: number): void => {
    const value = list[reading.used];
    if (reading.used < list.length) reading.used++;
    if (value === undefined) {
      reading.cost++;
      reading.absent.push({ name, value: defaultOf(input) });
    } else {
      const weight = misfit(input, value);
      reading.cost += weight;
      if (weight >= WRONG_TYPE) reading.unfit.push(name);
      reading.found.set(name, value);
    }
    if (layout.controls) {
      const [control, filter] = [isControlWord, (text: Json) => typeof text === 'string'];
      const count = controlsBehind(input);
      if (count > 0) skip(1, control);
      if (count > 1) skip(1, filter);
    }
    if (isRecord(input.options['remote'])) skipRefresh();
    if (input.type === DYNAMIC_COMBO && depth < MAX_NESTING) {
      for (const inner of inputsBehind(input, value ?? defaultOf(input)))
        walk(inner, `${name}.${inner.name}`, depth + 1);
    }
  };
  const walk = (input: InputDefinition, name: string, depth: number): void => {
    if (isWidget(input)) take(input, name, depth);
    else if (isForced(input) && layout.forced) {
      skip(1, () => true);
      if (layout.controls) skip(controlsBehind(input), () => true);
    }
  };
  for (const input of inputs.filter(({ type }) => type === AUTOGROW)) {
    for (const [name, inner] of grownWidgets(node, input)) take(inner, name, 0);
  }
  const required = inputs.filter(({ isRequired }) => isRequired);
  for (const input of required) walk(input, input.name, 0);
  if (layout.uploads && hasUpload(required)) skip(1, isUploadValue);
  for (const input of inputs) if (!input.isRequired) walk(input, input.name, 0);
  reading.cost += list.length - reading.used;
  return reading;
}

/** 0 fits, 1 is odd, `WRONG_TYPE` is another type. */
function misfit({ type, choices }: InputDefinition, value: Json): number {
  if (value === null) return 1;
  switch (type) {
    case 'INT':
    case 'FLOAT':
      return typeof value === 'number' || value instanceof ExactNumber ? 0 : WRONG_TYPE;
    case 'STRING':
      return typeof value === 'string' ? 0 : WRONG_TYPE;
    case 'BOOLEAN':
      return typeof value === 'boolean' ? 0 : WRONG_TYPE;
    case 'COMBO':
      if (Array.isArray(value)) return 0;
      if (!isPlain(value) || (choices.length > 0 && typeof choices[0] !== typeof value)) return WRONG_TYPE;
      return choices.length === 0 || choices.includes(value) ? 0 : 1;
    case DYNAMIC_COMBO:
      return typeof value === 'string' ? 0 : WRONG_TYPE;
    default:
      return 0;
  }
}

/** The words of `control_after_generate`; before 2023-08 it was a switch. */
export function isControlWord(value: Json | undefined): boolean {
  return (
    typeof value === 'boolean' ||
    (typeof value === 'string' &&
      ['fixed', 'increment', 'increment-wrap', 'decrement', 'randomize'].includes(value))
  );
}

/** What files hold for the button that uploads a picture, a video or a sound. */
export function isUploadValue(value: Json): boolean {
  return (
    value === null ||
    value === 'image' ||
    value === 'video' ||
    value === 'audio' ||
    value === 'upload' ||
    value === ''
  );
}
