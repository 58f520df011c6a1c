import type { Parameters } from './parameters.ts';
import type { Meant } from './receipt.ts';

/** What a file was meant to say, for the receipt to compare with what each reader sees. */
export function meantBy(metadata: {
  readonly parameters: Parameters;
  readonly prompt?: string;
  readonly workflow?: string;
}): Meant {
  const { positive, negative, details, hashes } = metadata.parameters;
  const fields = new Map(details.map(({ key, value }) => [key, value]));
  if (hashes.size > 0) fields.set('Hashes', JSON.stringify(Object.fromEntries(hashes)));
  return {
    positive,
    negative,
    fields,
    prompt: metadata.prompt !== undefined,
    workflow: metadata.workflow !== undefined,
  };
}
