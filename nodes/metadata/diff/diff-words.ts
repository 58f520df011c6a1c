import { type PromptWord, wordsOf } from './prompt-words.ts';

/** How two prompts differ. */
export type WordDiff = {
  /** Runs of words that only the first has, in its order. */
  readonly removed: readonly string[];
  /** Runs of words that only the second has. */
  readonly added: readonly string[];
  /** Words of both that count differently. */
  readonly reweighted: readonly { readonly text: string; readonly before: number; readonly after: number }[];
};

/** Beyond this many pairs of words the part that differs is told as a whole. */
const MAX_PAIRS = 4_000_000;

/** Compares two prompts word by word. Spaces, commas and brackets count only by what they do. */
export function diffWords(before: string, after: string): WordDiff {
  const [a, b] = [wordsOf(before), wordsOf(after)];
  const start = commonStart(a, b);
  const end = commonEnd(a.slice(start), b.slice(start));
  const [middleA, middleB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  const pairs = [
    ...a.slice(0, start).map((word, at) => [word, b[at]] as const),
    ...commonWords(middleA, middleB),
    ...a.slice(a.length - end).map((word, at) => [word, b[b.length - end + at]] as const),
  ];
  const [keptA, keptB] = [new Set(pairs.map(([word]) => word)), new Set(pairs.map(([, word]) => word))];
  const reweighted = pairs.flatMap(([one, other]) =>
    other && one.weight !== other.weight ? [{ text: one.text, before: one.weight, after: other.weight }] : [],
  );
  return { removed: runsWithout(a, keptA), added: runsWithout(b, keptB), reweighted };
}

/** Whether two prompts say the same. */
export function isSameWords({ removed, added, reweighted }: WordDiff): boolean {
  return removed.length + added.length + reweighted.length === 0;
}

function commonStart(a: readonly PromptWord[], b: readonly PromptWord[]): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at]?.text === b[at]?.text) at++;
  return at;
}

function commonEnd(a: readonly PromptWord[], b: readonly PromptWord[]): number {
  return commonStart(a.toReversed(), b.toReversed());
}

/** A longest common subsequence, by the table of its lengths. */
function commonWords(
  a: readonly PromptWord[],
  b: readonly PromptWord[],
): (readonly [PromptWord, PromptWord])[] {
  if (a.length * b.length > MAX_PAIRS) return [];
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const lengthAt = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const isSame = a[i]?.text === b[j]?.text;
      lengths[i * width + j] = isSame
        ? lengthAt(i + 1, j + 1) + 1
        : Math.max(lengthAt(i + 1, j), lengthAt(i, j + 1));
    }
  }
  const pairs: (readonly [PromptWord, PromptWord])[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [one, other] = [a[i], b[j]];
    if (one && other && one.text === other.text) {
      pairs.push([one, other]);
      i++;
      j++;
    } else if (lengthAt(i + 1, j) >= lengthAt(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}

function runsWithout(words: readonly PromptWord[], kept: ReadonlySet<PromptWord | undefined>): string[] {
  const runs: string[][] = [];
  let isOpen = false;
  for (const word of words) {
    const isGone = !kept.has(word);
    if (isGone && isOpen) runs.at(-1)?.push(shown(word));
    else if (isGone) runs.push([shown(word)]);
    isOpen = isGone;
  }
  return runs.map((run) => run.join(' '));
}

function shown({ text, weight }: PromptWord): string {
  if (weight === 1) return text;
  return text.startsWith('<') ? `${text.slice(0, -1)}:${weight}>` : `(${text}:${weight})`;
}
