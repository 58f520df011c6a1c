import type { ModelFolder, Pixels } from './values.ts';

/**
 * The inputs a node may declare, each with the TypeScript type of its value. Hosts make widgets and sockets from
 * them; the names of the socket types are ComfyUI's.
 */

type Common = {
  /** Shown beside the widget. */
  readonly tooltip: string;
  /** The node runs without it. */
  readonly optional?: boolean;
  /** Hidden behind "advanced" where the host can. */
  readonly advanced?: boolean;
};

/** A socket that takes a batch of pictures, all of one shape. */
type ImagesField = Common & {
  readonly kind: 'images';
  /**
   * The node needs no more than 8 bits a sample: a host may bring floats to bytes on the way, the fraction cut off as
   * ComfyUI does when it saves, which is a quarter of what would travel.
   */
  readonly samples?: 'uint8';
};
/** A line, or several, of text. */
export type TextField = Common & {
  readonly kind: 'text';
  readonly default: string;
  readonly multiline?: boolean;
};
/** A whole number from `min` to `max`, both included. */
export type IntegerField = Common & {
  readonly kind: 'integer';
  readonly default: number;
  readonly min: number;
  readonly max: number;
};
/** A number from `min` to `max`, both included; never NaN. */
export type NumberField = Common & {
  readonly kind: 'number';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** What an arrow of the widget adds. */
  readonly step: number;
};
/** The name of one of the machine's model files, as its folder lists it. A menu; whoever uses the name looks it up. */
export type ModelField = Common & { readonly kind: 'model'; readonly folders: readonly ModelFolder[] };
/** On or off. */
export type ToggleField = Common & { readonly kind: 'toggle'; readonly default: boolean };
/** One of a fixed list of words. */
export type ChoiceField<C extends string = string> = Common & {
  readonly kind: 'choice';
  readonly options: readonly C[];
  readonly default: C;
};
/** A value that only nodes of one pack exchange, by the name of its socket type. */
export type CustomField<T = unknown> = Common & {
  readonly kind: 'custom';
  readonly type: string;
  /** Brings what arrives on the socket into shape; what does not fit is refused. */
  readonly parse: (value: unknown) => T;
};

/** What a dynamic choice may show: inputs whose value can be typed. */
export type WidgetField = TextField | IntegerField | NumberField | ToggleField | ChoiceField;
/** The words of a dynamic choice, and the inputs of each. */
export type ChoiceInputs = Readonly<Record<string, Readonly<Record<string, WidgetField>>>>;
/**
 * One of a fixed list of words, each with inputs of its own, which are there while it is chosen. The first word is the
 * default, as for ComfyUI's `DynamicCombo`. An input inside has another name than the choice.
 */
export type DynamicChoiceField<O extends ChoiceInputs = ChoiceInputs> = Common & {
  readonly kind: 'dynamic-choice';
  readonly options: O;
};
/** What was chosen, and the values of its inputs. */
type ChosenOf<O extends ChoiceInputs> = {
  readonly [K in keyof O]: {
    readonly chosen: K;
    readonly inputs: { readonly [N in keyof O[K]]: ValueOf<O[K][N]> };
  };
}[keyof O];

/** Any input a node may declare. */
export type Field =
  | ImagesField
  | TextField
  | IntegerField
  | NumberField
  | ToggleField
  | ChoiceField
  | ModelField
  | DynamicChoiceField
  | CustomField;

/** The value that `run` gets for a field. */
export type ValueOf<F extends Field> =
  | (F extends ImagesField
      ? readonly Pixels[]
      : F extends TextField | ModelField
        ? string
        : F extends IntegerField | NumberField
          ? number
          : F extends ToggleField
            ? boolean
            : F extends ChoiceField<infer C>
              ? C
              : F extends DynamicChoiceField<infer O>
                ? ChosenOf<O>
                : F extends CustomField<infer T>
                  ? T
                  : never)
  | (F extends { readonly optional: true } ? undefined : never);

/** Declares a socket for a batch of pictures. */
export const images = <const O extends Omit<ImagesField, 'kind'>>(
  options: O,
): O & { readonly kind: 'images' } => ({
  ...options,
  kind: 'images',
});

/** Declares a text widget. */
export const text = <const O extends Omit<TextField, 'kind'>>(options: O): O & { readonly kind: 'text' } => ({
  ...options,
  kind: 'text',
});

/** Declares a number widget. */
export const integer = <const O extends Omit<IntegerField, 'kind'>>(
  options: O,
): O & { readonly kind: 'integer' } => ({
  ...options,
  kind: 'integer',
});

/** Declares a widget for a number with a fraction. */
export const number = <const O extends Omit<NumberField, 'kind'>>(
  options: O,
): O & { readonly kind: 'number' } => ({
  ...options,
  kind: 'number',
});

/** Declares a menu of model files. */
export const model = <const O extends Omit<ModelField, 'kind'>>(
  options: O,
): O & { readonly kind: 'model' } => ({
  ...options,
  kind: 'model',
});

/** Declares a switch. */
export const toggle = <const O extends Omit<ToggleField, 'kind'>>(
  options: O,
): O & { readonly kind: 'toggle' } => ({
  ...options,
  kind: 'toggle',
});

/** Declares a menu; the default is typed as one of the choices. */
export const choice = <C extends string>(
  choices: readonly C[],
  options: Common & { readonly default: C },
): ChoiceField<C> => ({ ...options, kind: 'choice', options: choices });

/** Declares a menu that shows other inputs for each of its words. */
export const dynamicChoice = <const O extends ChoiceInputs, const C extends Common>(
  options: O,
  common: C,
): C & DynamicChoiceField<O> => ({ ...common, kind: 'dynamic-choice', options });

/** Declares an optional socket of a type of our own; `run` sees only what `parse` let through. */
export const custom = <T>(
  type: string,
  options: Common & { readonly optional: true; readonly parse: (value: unknown) => T },
): CustomField<T> & { readonly optional: true } => ({ ...options, kind: 'custom', type });
