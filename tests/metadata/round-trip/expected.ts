import { MODEL, type Picture } from './cases.ts';

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

/** The details line of the graph in `cases.ts`, by hand, whether its prompts are cut or not. */
const DETAILS = {
  full:
    `${MADE}, Version: ComfyUI, Samplers: Euler (0-11) | DPM++ 2M (12-19), ` +
    'Samplers detail: "1: Euler 0-11, 2: DPM++ 2M 12-19"',
  'reduced-exif': `${MADE}, Version: ComfyUI, Samplers: Euler (0-11) | DPM++ 2M (12-19), Metadata Fallback: reduced-exif`,
  minimal: `${MADE}, Version: ComfyUI, Metadata Fallback: minimal`,
  'com-marker': `${MADE}, Version: ComfyUI, Metadata Fallback: com-marker`,
} as const;

/** The facts of the graph as readers name them. */
export const FACTS = { steps: '20', sampler: 'Euler', cfg: '7', seed: '42', model: MODEL } as const;

/** What the file should say. A prompt that does not fit is a beginning of what was meant. */
export type Expected = {
  readonly text: string;
  readonly positive: string;
  readonly negative: string;
  /** Characters of the positive prompt as it is written, and as it would be, where it had to be cut. */
  readonly cut?: { readonly left: number; readonly whole: number };
};

/**
 * The text that was meant to be in the file. Only how far a prompt was cut is taken from what was written; that it was
 * cut as little as possible is tested apart.
 */
export function expectedOf({ case: one, positive, variant, embedded: { stage, text } }: Picture): Expected {
  const braced = meant(positive).startsWith('{') ? ' ' : '';
  const [first, second] = [guarded(positive), guarded(one.negative)];
  const details = DETAILS[stage].replace(`Model: ${MODEL}`, `Model: ${variant.model ?? MODEL}`);
  const write = (left: string, right: string): string =>
    `${braced}${left}\nNegative prompt: ${right}\n${details}`;
  const whole = write(first, second);
  if ((stage !== 'minimal' && stage !== 'com-marker') || text === whole)
    return { text: whole, positive: meant(positive), negative: meant(one.negative) };
  const [left, right] = cutsOf(text, `${braced}${first}`);
  const [kept, rest] = [first.slice(0, left - braced.length), second.slice(0, right)];
  // Settings that are longer than cut prompts lose keys, and the version is the only one here that may go.
  const isLong = write(kept, rest).length < 2 * write('', '').length;
  return {
    text: isLong ? write(kept, rest).replace('Version: ComfyUI, ', '') : write(kept, rest),
    positive: kept === first ? meant(positive) : kept.trim(),
    negative: rest === second ? meant(one.negative) : rest.trim(),
    ...(kept !== first && { cut: { left: [...kept].length, whole: [...first].length } }),
  };
}

const MARK = '\nNegative prompt: ';

/** How long both prompts of a written text are: the first goes to the last mark before the text leaves what was meant. */
function cutsOf(text: string, positive: string): [number, number] {
  let common = 0;
  while (common < positive.length && text[common] === positive[common]) common++;
  const first = text.lastIndexOf(MARK, common);
  return [first, text.lastIndexOf('\n') - first - MARK.length];
}
