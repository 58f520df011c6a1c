/** A word of a prompt and how much it counts. */
export type PromptWord = { readonly text: string; readonly weight: number };

/** `(a)` counts 1.1 times, `[a]` as much less, `(a:1.3)` 1.3 times. @see A1111's wiki, "Attention/emphasis" */
const STEP = 1.1;
const EXPLICIT = /:\s{0,8}([+-]?(?:\d{1,9}\.?\d{0,9}|\.\d{1,9}))\s{0,8}\)/y;
/** `<lora:name:0.8>` is one word, its last number the weight. */
const TAG = /<([\w.-]{1,40}:[^<>]{1,400}?)(?::([+-]?\d{0,9}\.?\d{1,9}))?>/y;
const WORD = /(?:\\.|[^\s,()[\]<:\\])+|[:<\\]/sy;

/**
 * The words of a prompt, each with the weight that all brackets around it make. Commas and white space end a word; a bracket
 * behind a backslash is one of the word's own. Linear in the text; brackets that do not close count for nothing.
 */
export function wordsOf(prompt: string): PromptWord[] {
  const words: PromptWord[] = [];
  const spans: Span[] = [];
  const open: { readonly bracket: string; readonly from: number }[] = [];
  const close = (bracket: string, factor: number): void => {
    const last = open.at(-1);
    if (last?.bracket !== bracket) return;
    open.pop();
    if (words.length > last.from) spans.push({ from: last.from, to: words.length, factor });
  };
  const take = (pattern: RegExp, at: number): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(prompt);
  };
  for (let at = 0; at < prompt.length; ) {
    const char = prompt.charAt(at);
    const explicit = char === ':' && open.at(-1)?.bracket === '(' ? take(EXPLICIT, at) : null;
    const tag = char === '<' ? take(TAG, at) : null;
    const word = tag || explicit ? null : take(WORD, at);
    if (explicit) close('(', Number(explicit[1]));
    else if (tag) words.push({ text: `<${tag[1]}>`, weight: Number(tag[2] ?? 1) });
    else if (word) words.push({ text: word[0], weight: 1 });
    else if (char === '(' || char === '[') open.push({ bracket: char, from: words.length });
    else if (char === ')') close('(', STEP);
    else if (char === ']') close('[', 1 / STEP);
    at += (explicit ?? tag ?? word)?.[0].length ?? 1;
  }
  return weighed(words, spans);
}

/** The words that one pair of brackets holds. */
type Span = { readonly from: number; readonly to: number; readonly factor: number };

/** Spans nest: each counts with the product of those around it. */
function weighed(words: readonly PromptWord[], spans: readonly Span[]): PromptWord[] {
  const waiting = spans.toSorted((a, b) => b.from - a.from || a.to - b.to);
  const around: { readonly to: number; readonly product: number }[] = [];
  return words.map(({ text, weight }, at) => {
    while ((around.at(-1)?.to ?? Number.POSITIVE_INFINITY) <= at) around.pop();
    for (let next = waiting.at(-1); next && next.from <= at; next = waiting.at(-1)) {
      waiting.pop();
      around.push({ to: next.to, product: (around.at(-1)?.product ?? 1) * next.factor });
    }
    return { text, weight: Number((weight * (around.at(-1)?.product ?? 1)).toFixed(3)) };
  });
}
