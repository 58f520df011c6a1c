import { ExactNumber } from './exact-json.ts';

/** Whether a value is a JSON object: neither a list nor null, nor a number that is held as written. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
  );
}
