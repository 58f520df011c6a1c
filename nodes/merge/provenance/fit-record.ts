import type { MergeRecord, MergeSource } from './merge-record.ts';

/** What a header is to hold of a family, in characters of JSON. */
const MAX_CHARACTERS = 1024 * 1024;
const MAX_GENERATIONS = 64;

/**
 * A record that fits a header: where the family is too long, the generations furthest back lose their records. Sources
 * keep their hashes, so that no file is forgotten that went into this one.
 *
 * @param maxCharacters of the record as JSON; one without any record of a source is never cut further.
 */
export function fitRecord(record: MergeRecord, maxCharacters = MAX_CHARACTERS): MergeRecord {
  let fitted = record;
  for (let most = MAX_GENERATIONS; JSON.stringify(fitted).length > maxCharacters && most >= 0; most--)
    fitted = { ...record, sources: record.sources.map((source) => cut(source, most)) };
  return fitted;
}

/** A source with its record and those of so many generations in all. */
function cut({ record, ...source }: MergeSource, generations: number): MergeSource {
  if (!record || generations <= 0) return source;
  const sources = record.sources.map((each) => cut(each, generations - 1));
  return { ...source, record: { ...record, sources } };
}
