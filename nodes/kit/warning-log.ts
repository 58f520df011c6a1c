import type { Warning, WarningCode, WarningSink } from './warnings.ts';

/** Warnings of one run: each distinct one once, in the order they came. */
export type WarningLog = {
  readonly warn: WarningSink;
  readonly list: readonly Warning[];
};

/** An empty log. `list` grows as warnings come in; it is not copied. */
export function createWarningLog(): WarningLog {
  const list: Warning[] = [];
  const seen = new Set<string>();
  const warn = (code: WarningCode, message: string, where = ''): void => {
    const key = `${code}\n${where}\n${message}`;
    if (seen.has(key)) return;
    seen.add(key);
    list.push({ code, message, where });
  };
  return { warn, list };
}
