/** Where the values of a JSON text stand: offsets in UTF-16 units. */
export type JsonPlace = {
  /** Where the value begins. */
  readonly at: number;
  /** Of an object, by key; of equal keys the first. */
  readonly members?: ReadonlyMap<string, { readonly keyAt: number; readonly value: JsonPlace }>;
  /** Of an array. */
  readonly items?: readonly JsonPlace[];
};

/** The places of a text, and of the first key that its object has already. */
export type JsonPlaces = { readonly root: JsonPlace; readonly duplicateAt: number | undefined };

/** Where a text stops being JSON, in UTF-16 units. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';
  readonly at: number;

  constructor(at: number) {
    super(`no JSON from ${at} on`);
    this.at = at;
  }
}

const SPACE = /[ \t\n\r]*/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const OTHER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * Finds where each value of a JSON text stands. A YAML parser tells that too, in several times the time; JSON.parse tells
 * nothing of it, and of a fault not always where it is.
 *
 * @throws JsonFault for what is no JSON; RangeError where it nests deeper than the stack holds
 */
export function placeJson(text: string): JsonPlaces {
  let at = 0;
  let duplicateAt: number | undefined;

  function skipSpace(): void {
    SPACE.lastIndex = at;
    SPACE.test(text);
    at = SPACE.lastIndex;
  }

  function take(pattern: RegExp): string {
    pattern.lastIndex = at;
    const [found] = pattern.exec(text) ?? [];
    if (found === undefined) throw new JsonFault(at);
    at += found.length;
    return found;
  }

  /** Whether the sign comes next, which is then behind us. */
  function pass(sign: string): boolean {
    skipSpace();
    const isNext = text[at] === sign;
    if (isNext) at += 1;
    return isNext;
  }

  function need(sign: string): void {
    if (!pass(sign)) throw new JsonFault(at);
  }

  function readValue(): JsonPlace {
    skipSpace();
    const from = at;
    if (pass('{')) return { at: from, members: readMembers() };
    if (pass('[')) return { at: from, items: readItems() };
    take(text[from] === '"' ? STRING : OTHER);
    return { at: from };
  }

  function readMembers(): Map<string, { keyAt: number; value: JsonPlace }> {
    const members = new Map<string, { keyAt: number; value: JsonPlace }>();
    if (pass('}')) return members;
    for (;;) {
      skipSpace();
      const keyAt = at;
      const name = String(JSON.parse(take(STRING)));
      need(':');
      const value = readValue();
      if (!members.has(name)) members.set(name, { keyAt, value });
      else if (duplicateAt === undefined || keyAt < duplicateAt) duplicateAt = keyAt;
      if (pass('}')) return members;
      need(',');
    }
  }

  function readItems(): JsonPlace[] {
    const items: JsonPlace[] = [];
    if (pass(']')) return items;
    for (;;) {
      items.push(readValue());
      if (pass(']')) return items;
      need(',');
    }
  }

  const root = readValue();
  skipSpace();
  if (at < text.length) throw new JsonFault(at);
  return { root, duplicateAt };
}
