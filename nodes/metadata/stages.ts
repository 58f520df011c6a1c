import {
  DETAIL_KEYS,
  type DetailKey,
  HASHES_GO,
  matcherOf,
  NEGATIVE_PROMPT_GOES,
  STAGE_KEY,
} from './detail-keys.ts';
import { type Detail, type Parameters, renderParameters } from './infotext.ts';

/** How much of the metadata a JPEG could hold. Other formats are always `full`. */
export const STAGES = ['full', 'reduced-exif', 'minimal', 'com-marker'] as const;
export type Stage = (typeof STAGES)[number];

/** The stage that a written infotext names at its end. */
export function stageOfText(text: string): Stage {
  const named = new RegExp(`${STAGE_KEY}: ([a-z-]+)\\s*$`).exec(text)?.[1];
  return STAGES.find((stage) => stage === named) ?? 'full';
}

/** Why most things are left out. */
export const TOO_SMALL = 'the budget is too small';

/** Why a graph is not where programs look for it, though the file holds it. */
export const COMPRESSED = `${TOO_SMALL}; it is kept compressed, for lineage restore`;

/** Something that did not fit, and why. */
export type Dropped = { readonly what: string; readonly why: string };

/** A text that fits, and what it cost. */
export type Fitted = { readonly text: string; readonly dropped: readonly Dropped[] };

/** What goes together when `minimal` is still too large. */
type Sacrifice = {
  readonly what: string;
  readonly keys: (key: string) => boolean;
  readonly hashes: readonly RegExp[];
};

const isFullOnly = matcherOf(DETAIL_KEYS.filter(({ fullOnly }) => fullOnly));
/** Keys that `minimal` starts from. */
const isMinimal = matcherOf(DETAIL_KEYS.filter(({ minimal }) => minimal));
/** Least important first. */
const SACRIFICES = listSacrifices((goes) => goes < NEGATIVE_PROMPT_GOES);
/** What goes before the positive prompt is touched, once the negative one is gone. */
const LAST_KEYS = listSacrifices((goes) => goes > NEGATIVE_PROMPT_GOES);

function listSacrifices(isIn: (goes: number) => boolean): Sacrifice[] {
  const turns = new Set([...DETAIL_KEYS, ...HASHES_GO].flatMap(({ goes }) => goes ?? []));
  return [...turns]
    .filter(isIn)
    .sort((a, b) => a - b)
    .map((turn) => {
      const rows = DETAIL_KEYS.filter(({ goes }) => goes === turn);
      const entries = HASHES_GO.filter(({ goes }) => goes === turn);
      const names = [
        ...rows.map(({ reportedAs, key }) => reportedAs ?? key),
        ...entries.map(({ reportedAs }) => reportedAs),
      ];
      return {
        what: [...new Set(names)].join(', '),
        keys: matcherOf(rows),
        hashes: entries.map((kind) => kind.entries),
      };
    });
}

/** Everything in `parameters` but the block that lists each sampler. */
export function reduceParameters(parameters: Parameters): Parameters {
  const details = parameters.details.filter(({ key }) => !isFullOnly(key));
  return { ...parameters, details: mark(details, 'reduced-exif') };
}

/** The keys that make the picture again, and nothing else. */
function minimalParameters(parameters: Parameters, stage: Stage): Parameters {
  return {
    ...parameters,
    details: mark(
      parameters.details.filter(({ key }) => isMinimal(key)),
      stage,
    ),
  };
}

function mark(details: readonly Detail[], stage: Stage): Detail[] {
  const own: Detail<DetailKey> = { key: STAGE_KEY, value: stage };
  return [...details, own];
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
  const sacrifice = (steps: readonly Sacrifice[]): Fitted | undefined => {
    for (const { what, keys, hashes } of steps) {
      const details = kept.details.filter(({ key }) => !keys(key));
      const left = new Map([...kept.hashes].filter(([key]) => !hashes.some((kind) => kind.test(key))));
      if (details.length === kept.details.length && left.size === kept.hashes.size) continue;
      kept = { ...kept, details, hashes: left };
      dropped.push({ what, why: TOO_SMALL });
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
  return missing.map((what) => ({ what, why: TOO_SMALL }));
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
