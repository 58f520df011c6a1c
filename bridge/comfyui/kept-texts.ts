import { LineageError } from '../../nodes/kit/errors.ts';
import { type Json, parseExactJson } from '../../nodes/kit/exact-json.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';

/** A JSON text that came over once; parsed when somebody first looks, and then for all who do. */
export type KeptText = {
  /** @throws LineageError `graph/malformed`, `graph/too-deep` */
  parse(): Json;
};

/** The texts of one connection. How many there are is the other side's to bound: it sends them, and says which go. */
export type KeptTexts = {
  keep(id: number, content: string): void;
  /** A run that was given the text keeps it. */
  forget(id: number): void;
  /** @throws LineageError `bridge/protocol` where it was not kept, or is forgotten */
  find(id: number): KeptText;
};

/** @param warn hears of each text at most once */
export function createKeptTexts(warn: WarningSink): KeptTexts {
  const texts = new Map<number, KeptText>();
  return {
    keep: (id, content) => void texts.set(id, createText(content, warn)),
    forget: (id) => void texts.delete(id),
    find(id) {
      const text = texts.get(id);
      if (!text) throw new LineageError('bridge/protocol', `expected a text that is kept, got ${id}`);
      return text;
    },
  };
}

function createText(content: string, warn: WarningSink): KeptText {
  let parsed: { readonly value: Json } | undefined;
  return {
    parse() {
      parsed ??= { value: parseExactJson(content, warn) };
      return parsed.value;
    },
  };
}
