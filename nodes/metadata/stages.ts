import { type CutPrompts, cutPrompts } from './cut-prompts.ts';
import {
  DETAIL_KEYS,
  type DetailKey,
  HASHES_GO,
  MAKES_THE_PICTURE,
  matcherOf,
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

/** A text that fits, and whether its prompts are whole or at least as long as its settings. */
type Attempt = Fitted & { readonly isBalanced: boolean };

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
const SACRIFICES = listSacrifices((goes) => goes < MAKES_THE_PICTURE);
const LAST_KEYS = listSacrifices((goes) => goes >= MAKES_THE_PICTURE);

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
 * The most of the minimal text that fits. The settings line is whole and the prompts are cut to what remains. Only
 * while the settings are longer than what is left of cut prompts, their keys go, by importance.
 *
 * @param fits whether a text can be written; what is shorter fits too
 * @returns undefined when not even empty prompts fit; `minimal` keeps every key that makes the picture; where those
 *   alone are too large, `com-marker` loses them too, but Steps and the model's hash
 */
export function fitMinimal(
  parameters: Parameters,
  stage: 'minimal' | 'com-marker',
  fits: (text: string) => boolean,
): Fitted | undefined {
  const { positive, negative } = parameters;
  let kept = minimalParameters(parameters, stage);
  const dropped = leftOut(parameters, kept);
  const render = (prompts: CutPrompts): string => renderParameters({ ...kept, ...prompts });
  const attempt = (): Attempt | undefined => {
    const cut = cutPrompts(positive, negative, (first, second) =>
      fits(render({ positive: first, negative: second })),
    );
    if (!cut) return undefined;
    const notes = [
      ...cutNotes('negative prompt', negative, cut.negative),
      ...cutNotes('positive prompt', positive, cut.positive),
    ];
    const text = render(cut);
    const settings = render({ positive: '', negative: '' });
    const isBalanced = notes.length === 0 || text.length >= 2 * settings.length;
    return { text, dropped: [...dropped, ...notes], isBalanced };
  };
  const leaveOut = ({ what, keys, hashes }: Sacrifice): void => {
    const details = kept.details.filter(({ key }) => !keys(key));
    const left = new Map([...kept.hashes].filter(([key]) => !hashes.some((kind) => kind.test(key))));
    if (details.length === kept.details.length && left.size === kept.hashes.size) return;
    kept = { ...kept, details, hashes: left };
    dropped.push({ what, why: TOO_SMALL });
    fitted = attempt();
  };

  let fitted = attempt();
  for (const each of SACRIFICES) if (!fitted?.isBalanced) leaveOut(each);
  // What makes the picture goes only where not even that fits, and never where programs read it.
  for (const each of stage === 'com-marker' ? LAST_KEYS : []) if (!fitted) leaveOut(each);
  return fitted;
}

/** What a smaller version of the parameters no longer says. */
export function leftOut(whole: Parameters, kept: Parameters): Dropped[] {
  const keys = new Set(kept.details.map(({ key }) => key));
  const missing = whole.details.filter(({ key }) => !keys.has(key)).map(({ key }) => key);
  return missing.map((what) => ({ what, why: TOO_SMALL }));
}

function cutNotes(what: string, from: string, to: string): Dropped[] {
  if (to === from) return [];
  const [whole, left] = [[...from].length, [...to].length];
  const why =
    left === 0 ? `all of its ${whole} characters were cut` : `cut to ${left} of ${whole} characters`;
  return [{ what, why }];
}
