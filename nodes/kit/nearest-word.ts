/** Beyond this share of its letters a word is another word, no slip of the pen. */
const MAX_SHARE_WRONG = 0.5;

/**
 * The word of a list that a mistyped one most likely meant; the first of equals. Undefined where none is near.
 *
 * @param words compared without regard to case, `-`, `_` and spaces.
 */
export function nearestWord(typed: string, words: readonly string[]): string | undefined {
  const plain = strip(typed.slice(0, 64));
  let best: string | undefined;
  let fewest = Math.floor(plain.length * MAX_SHARE_WRONG) + 1;
  for (const word of words) {
    const edits = countEdits(plain, strip(word));
    if (edits < fewest) [best, fewest] = [word, edits];
  }
  return best;
}

function strip(word: string): string {
  return word.toLowerCase().replace(/[-_\s]/g, '');
}

/** Levenshtein's distance: letters to insert, delete or replace (Wagner and Fischer 1974, one row at a time). */
export function countEdits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
