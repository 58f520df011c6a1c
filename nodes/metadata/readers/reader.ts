import type { ImageFormat } from '../../kit/values.ts';
import { type KeyLossId, type Loss, lossOf, type PlainLossId, type Reason } from './losses.ts';

/**
 * The programs whose reading rules this folder restates in code of its own; the head of each file says which
 * source the rules were read from. The readers check our writers, so they share nothing with them but the walk
 * through the container.
 */
export type ReaderId = 'civitai' | 'a1111' | 'sd-prompt-reader' | 'comfyui' | 'sd-metadata' | 'image-metahub';

/** One text chunk of a PNG. `tEXt` is given as Latin-1, one character a byte, so that its bytes can be had back. */
export type PngTextView = {
  readonly keyword: string;
  readonly text: string;
  readonly chunk: 'tEXt' | 'iTXt' | 'zTXt';
  /** Always so for zTXt; iTXt may be either. */
  readonly compressed: boolean;
};

/** One ASCII (type 2) tag of IFD0. */
type AsciiTagView = {
  readonly tag: number;
  /** The value's bytes, closing NUL included where the file has one. */
  readonly bytes: Uint8Array;
};

/** What a reader gets of a file: undecoded wherever readers decode differently. */
export type ReaderView = {
  readonly format: ImageFormat;
  readonly hasAlpha: boolean;
  /** AVIF's major brand; absent for other formats. */
  readonly majorBrand?: string;
  /** In file order, duplicates included. */
  readonly pngTexts: readonly PngTextView[];
  readonly hasExif: boolean;
  /** Byte order of the TIFF block; true where there is none. */
  readonly bigEndian: boolean;
  /** UserComment with its 8-byte character code. */
  readonly userComment?: Uint8Array;
  readonly ifd0Ascii: readonly AsciiTagView[];
  /** JPEG COM segments. */
  readonly comments: readonly Uint8Array[];
};

/** A model, LoRA or hypernetwork that a reader recognised. */
export type SeenResource = {
  readonly type: string;
  readonly name: string;
  readonly weight?: number;
  readonly hash?: string;
};

/** What a reader shows. A member that is absent is one that the reader does not find. */
export type Sees = {
  readonly positive?: string;
  readonly negative?: string;
  readonly steps?: string;
  readonly sampler?: string;
  readonly scheduler?: string;
  readonly cfg?: string;
  /** As the reader would print it: a reader that keeps numbers as doubles has rounded it. */
  readonly seed?: string;
  /** `WxH`. */
  readonly size?: string;
  readonly model?: string;
  readonly modelHash?: string;
  readonly clipSkip?: string;
  readonly hashes?: Readonly<Record<string, string>>;
  readonly resources?: readonly SeenResource[];
  /** Whether the reader gets at the prompt graph. */
  readonly prompt?: boolean;
  /** Whether the reader gets at the workflow. */
  readonly workflow?: boolean;
  /** The facts come from the graph; the parameters text was not looked at. */
  readonly fromGraph?: boolean;
  /** Every key of the details line, where the reader keeps them all. Quoted lists are nested. */
  readonly values?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
};

export type ReaderReport = {
  readonly reader: ReaderId;
  /** The reader shows generation data of this file. */
  readonly ok: boolean;
  readonly sees: Sees;
  readonly problems: readonly Loss[];
};

/** Facts a reader may have a place for; the receipt compares only those. */
export type ShownFact =
  | 'positive'
  | 'negative'
  | 'steps'
  | 'sampler'
  | 'scheduler'
  | 'cfg'
  | 'seed'
  | 'size'
  | 'model'
  | 'modelHash'
  | 'clipSkip'
  | 'hashes'
  | 'prompt'
  | 'workflow';

/** What surrounds a fact that came out differently. */
type HabitContext = {
  /** The positive and the negative prompt as meant, a newline between. */
  readonly prompts: string;
  readonly view: ReaderView;
};

/** A known peculiarity: when what was meant looks so, this reader shows something else: that loss. */
export type Habit = {
  readonly about: readonly ShownFact[];
  /** @param meant the fact as it was meant to be seen */
  readonly when: (meant: string, context: HabitContext) => boolean;
  readonly loss: PlainLossId;
};

export type Reader = {
  readonly id: ReaderId;
  /** The program's own name. */
  readonly name: string;
  readonly holds: readonly ShownFact[];
  /** Tried in order; the first that applies explains a difference. */
  readonly habits: readonly Habit[];
  /** For a reader that keeps every key of the details line: the loss of one that is missing. */
  readonly otherKeys?: KeyLossId;
  /** Total: any bytes and any text give a report, in time proportional to their length. */
  readonly read: (view: ReaderView) => ReaderReport;
};

/** Nothing was found. */
export function unread(reader: ReaderId, reason: Reason): ReaderReport {
  return { reader, ok: false, sees: {}, problems: [lossOf('everything', reason)] };
}

/** The last text of this keyword: every reader that keeps a table by keyword lets the later chunk win. */
export function lastText(view: ReaderView, ...keywords: readonly string[]): PngTextView | undefined {
  return view.pngTexts.findLast((text) => keywords.includes(text.keyword));
}
