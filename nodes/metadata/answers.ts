/** What a search found out, kept by key: a string, or a node. */
export type Memo<K, T> = {
  /** The answer that is kept, else what `find` says; that is kept in turn. */
  ask(key: K, find: () => T): T;
  /** An answer that is already there. */
  known(key: K): { readonly value: T } | undefined;
  /** @param before `cuts()` when the search for this answer began */
  keep(key: K, value: T, before: number): void;
};

/**
 * What several searches that ask each other remember. An answer that was cut short, by the limit of depth or in a
 * circle, holds only for the question that was asked from outside: kept for longer, it would depend on who asks first.
 */
export type Answers = {
  createMemo<K, T>(): Memo<K, T>;
  /** Says that the answer under way is cut short. */
  cut(): void;
  cuts(): number;
  /** Runs a question from outside. */
  question<T>(find: () => T): T;
};

/** An empty memory. */
export function createAnswers(): Answers {
  const forget: (() => void)[] = [];
  let cuts = 0;
  let open = 0;

  function createMemo<K, T>(): Memo<K, T> {
    const lasting = new Map<K, { readonly value: T }>();
    const passing = new Map<K, { readonly value: T }>();
    forget.push(() => passing.clear());
    const known = (key: K): { readonly value: T } | undefined => {
      const passed = passing.get(key);
      if (passed) cuts++;
      return passed ?? lasting.get(key);
    };
    const keep = (key: K, value: T, before: number): void => {
      (cuts === before ? lasting : passing).set(key, { value });
    };
    const ask = (key: K, find: () => T): T => {
      const there = known(key);
      if (there) return there.value;
      const before = cuts;
      const value = find();
      keep(key, value, before);
      return value;
    };
    return { ask, known, keep };
  }

  function question<T>(find: () => T): T {
    open++;
    try {
      return find();
    } finally {
      open--;
      if (open === 0) for (const each of forget) each();
    }
  }

  return { createMemo, cut: () => void cuts++, cuts: () => cuts, question };
}
