import { type Detail, type Parameters, renderParameters, STAGE_KEY } from './infotext.ts';

/** How much of the metadata a JPEG could hold. Other formats are always `full`. */
export const STAGES = ['full', 'reduced-exif', 'minimal', 'com-marker'] as const;
export type Stage = (typeof STAGES)[number];

/** The stage that a written infotext names at its end. */
export function stageOfText(text: string): Stage {
  const named = new RegExp(`${STAGE_KEY}: ([a-z-]+)\\s*$`).exec(text)?.[1];
  return STAGES.find((stage) => stage === named) ?? 'full';
}

/** Something that did not fit, and why. */
export type Dropped = { readonly what: string; readonly why: string };

/** A text that fits, and what it cost. */
export type Fitted = { readonly text: string; readonly dropped: readonly Dropped[] };

/** Keys that `minimal` starts from. */
const MINIMAL =
  /^(Steps|Sampler|Schedule type|CFG scale|Distilled CFG Scale|Seed|Size|Model hash|Model|VAE hash|VAE|LoRA \d+|Lora hashes|Version)$/;

/** What goes next when `minimal` is still too large, least important first. `hash:` names entries of `Hashes`. */
const SACRIFICES: readonly { readonly what: string; readonly keys?: RegExp; readonly hashes?: RegExp }[] = [
  { what: 'LoRA strengths', keys: /^LoRA \d+$/ },
  { what: 'embedding hashes', hashes: /^embed:/ },
  { what: 'Lora hashes', keys: /^Lora hashes$/ },
  { what: 'VAE', keys: /^VAE/, hashes: /^vae$/ },
  { what: 'hashes of LoRAs and further models', hashes: /^(lora|model):/ },
  { what: 'Version', keys: /^Version$/ },
];

/** What goes before the positive prompt is touched, once the negative one is gone. */
const LAST_KEYS: readonly { readonly what: string; readonly keys: RegExp; readonly hashes?: RegExp }[] = [
  { what: 'Schedule type', keys: /^Schedule type$/ },
  { what: 'Distilled CFG Scale', keys: /^Distilled CFG Scale$/ },
  { what: 'Size', keys: /^Size$/ },
  { what: 'Model', keys: /^Model$/ },
  { what: 'CFG scale', keys: /^CFG scale$/ },
  { what: 'Sampler', keys: /^Sampler$/ },
  { what: 'Seed', keys: /^Seed$/ },
];

/** Everything in `parameters` but the block that lists each sampler. */
export function reduceParameters(parameters: Parameters): Parameters {
  const details = parameters.details.filter(({ key }) => key !== 'Samplers detail');
  return { ...parameters, details: mark(details, 'reduced-exif') };
}

/** The keys that make the picture again, and nothing else. */
function minimalParameters(parameters: Parameters, stage: Stage): Parameters {
  return {
    ...parameters,
    details: mark(
      parameters.details.filter(({ key }) => MINIMAL.test(key)),
      stage,
    ),
  };
}

function mark(details: readonly Detail[], stage: Stage): Detail[] {
  return [...details, { key: STAGE_KEY, value: stage }];
}

/**
 * The most of the minimal text that fits: keys go first, by importance, then the end of the negative prompt, then
 * the other keys but Steps and the model's hash.
 *
 * @param fits whether a text can be written
 * @param cutPositive whether, at the very end, the positive prompt may be cut too
 * @returns undefined when it does not fit and the positive prompt may not be cut
 */
export function fitMinimal(
  parameters: Parameters,
  stage: 'minimal' | 'com-marker',
  fits: (text: string) => boolean,
  cutPositive: boolean,
): Fitted | undefined {
  let kept = minimalParameters(parameters, stage);
  const dropped = leftOut(parameters, kept);
  const tryNow = (): Fitted | undefined => {
    const text = renderParameters(kept);
    return fits(text) ? { text, dropped } : undefined;
  };
  const sacrifice = (steps: typeof SACRIFICES): Fitted | undefined => {
    for (const { what, keys, hashes } of steps) {
      const details = kept.details.filter(({ key }) => !keys?.test(key));
      const left = new Map([...kept.hashes].filter(([key]) => !hashes?.test(key)));
      if (details.length === kept.details.length && left.size === kept.hashes.size) continue;
      kept = { ...kept, details, hashes: left };
      dropped.push({ what, why: 'the budget is too small' });
      const fitted = tryNow();
      if (fitted) return fitted;
    }
    return undefined;
  };

  const early = tryNow() ?? sacrifice(SACRIFICES);
  if (early) return early;
  const negative = longestCut(kept.negative, (text) => fits(renderParameters({ ...kept, negative: text })));
  dropped.push(cutNote('negative prompt', kept.negative, negative ?? ''));
  kept = { ...kept, negative: negative ?? '' };
  const late = tryNow() ?? sacrifice(LAST_KEYS);
  if (late || !cutPositive) return late;
  const positive = longestCut(kept.positive, (text) => fits(renderParameters({ ...kept, positive: text })));
  dropped.push(cutNote('positive prompt', kept.positive, positive ?? ''));
  kept = { ...kept, positive: positive ?? '' };
  return tryNow();
}

/** What a smaller version of the parameters no longer says. */
export function leftOut(whole: Parameters, kept: Parameters): Dropped[] {
  const keys = new Set(kept.details.map(({ key }) => key));
  const missing = whole.details.filter(({ key }) => !keys.has(key)).map(({ key }) => key);
  return missing.map((what) => ({ what, why: 'the budget is too small' }));
}

function cutNote(what: string, from: string, to: string): Dropped {
  const [whole, left] = [[...from].length, [...to].length];
  return {
    what,
    why: left === 0 ? `all of its ${whole} characters were cut` : `cut to ${left} of ${whole} characters`,
  };
}

/** The longest beginning of a text that passes, cut between code points; undefined where not even '' does. */
function longestCut(text: string, passes: (text: string) => boolean): string | undefined {
  if (!passes('')) return undefined;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (passes(cutAt(text, middle))) low = middle;
    else high = middle - 1;
  }
  return cutAt(text, low).trimEnd();
}

/** Never leaves half of a surrogate pair. */
function cutAt(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
