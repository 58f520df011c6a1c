import type { Picture } from './cases.ts';

/** What a person means by a prompt: one kind of line end, nothing around it, no half of a pair, no NUL, no U+FFFE or U+FFFF. */
export function meant(text: string): string {
  return text
    .replace(
      /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\0\ufffe\uffff]/g,
      '\ufffd',
    )
    .replace(/\r\n|\r/g, '\n')
    .trim();
}

/** The same with the one space that keeps readers from taking a line for their own. */
function guarded(text: string): string {
  const lines = meant(text).split('\n');
  return lines
    .map((line) => (/^(Steps|Template|Negative Template): /.test(line) ? ` ${line}` : line))
    .join('\n');
}

const MADE =
  'Steps: 20, Sampler: Euler, Schedule type: Karras, CFG scale: 7, Seed: 42, Size: 16x16, ' +
  'Model hash: 0123456789, Model: fox_v1, Hashes: {"model":"0123456789"}';

/** The details line of the graph in `cases.ts`, by hand, for a text that is not cut. */
const DETAILS = {
  full:
    `${MADE}, Version: ComfyUI, Samplers: Euler (0-11) | DPM++ 2M (12-19), ` +
    'Samplers detail: "1: Euler 0-11, 2: DPM++ 2M 12-19"',
  'reduced-exif': `${MADE}, Version: ComfyUI, Samplers: Euler (0-11) | DPM++ 2M (12-19), Metadata Fallback: reduced-exif`,
  minimal: `${MADE}, Version: ComfyUI, Metadata Fallback: minimal`,
  'com-marker': `${MADE}, Version: ComfyUI, Metadata Fallback: com-marker`,
} as const;

/** What is left of the line when even the positive prompt is cut. */
const LEAST =
  'Steps: 20, Model hash: 0123456789, Hashes: {"model":"0123456789"}, Metadata Fallback: com-marker';

/** The facts of the graph as readers name them. */
export const FACTS = { steps: '20', sampler: 'Euler', cfg: '7', seed: '42', model: 'fox_v1' } as const;

/** What the file should say. A prompt that does not fit is a beginning of what was meant. */
export type Expected = {
  readonly text: string;
  readonly positive: string;
  readonly negative: string;
  /** Whether the positive prompt, and the keys before it, had to be cut. */
  readonly isCut: boolean;
};

/**
 * The text that was meant to be in the file. Only how far a prompt was cut is taken from what was written; that it was
 * cut as little as possible is tested apart.
 */
export function expectedOf({ case: one, positive, embedded: { stage, text } }: Picture): Expected {
  const braced = meant(positive).startsWith('{') ? ' ' : '';
  const whole = `${braced}${guarded(positive)}\nNegative prompt: ${guarded(one.negative)}\n${DETAILS[stage]}`;
  if (stage !== 'com-marker' || text === whole) {
    return { text: whole, positive: meant(positive), negative: meant(one.negative), isCut: false };
  }
  const [first, second] = cutsOf(text);
  const keepsPositive = first === guarded(positive);
  const details = keepsPositive ? DETAILS[stage] : LEAST;
  return {
    text: `${guarded(positive).slice(0, first.length)}\nNegative prompt: ${guarded(one.negative).slice(0, second.length)}\n${details}`,
    positive: keepsPositive ? meant(positive) : first.trim(),
    negative: second.trim(),
    isCut: true,
  };
}

/** Both prompts of a written text; none of the texts that are cut holds one of the marks itself. */
function cutsOf(text: string): [string, string] {
  const lines = text.split('\n');
  const at = lines.findLastIndex((line) => line.startsWith('Negative prompt: '));
  const negative = lines.slice(at, -1).join('\n');
  return [lines.slice(0, at).join('\n'), negative.slice('Negative prompt: '.length)];
}
