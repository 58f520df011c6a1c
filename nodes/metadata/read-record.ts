import { ExactNumber, findExactJson } from '../kit/exact-json.ts';
import { isRecord } from '../kit/is-record.ts';
import type { WarningSink } from '../kit/warnings.ts';
import { type RecordData, recordSchema } from './record.ts';

/** The record that a picture carries, its numbers as they are spelled; undefined for what is none of ours. */
export function readRecord(text: string, warn: WarningSink): RecordData | undefined {
  const exact = findExactJson(text, warn);
  // The schema knows plain JSON, in which a 64-bit seed is rounded: it checks, and the values come from the text.
  const checked = recordSchema.safeParse(JSON.parse(JSON.stringify(exact ?? null)));
  if (!checked.success) return undefined;
  const spelled = isRecord(exact) && Array.isArray(exact['fields']) ? exact['fields'] : [];
  const fields = checked.data.fields.map((fact, index) => {
    const value: unknown = isRecord(spelled[index]) ? spelled[index]['value'] : undefined;
    return value instanceof ExactNumber ? { ...fact, value } : fact;
  });
  return { ...checked.data, fields };
}
