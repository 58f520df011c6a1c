import { escapeNonAscii } from '../kit/exact-json.ts';
import type { Embedded } from './embed.ts';
import type { FileMetadata } from './file-metadata.ts';
import type { Parameters } from './infotext.ts';
import type { Meant } from './receipt.ts';

type Metadata = Omit<FileMetadata, 'record'>;

/**
 * What a file was meant to say, for the receipt to compare with what each reader sees.
 *
 * @param written what was embedded, so that the receipt can tell the budget's losses from a reader's
 */
export function meantBy(metadata: Metadata, written?: Pick<Embedded, 'text' | 'dropped'>): Meant {
  const { positive, negative, details, hashes } = metadata.parameters;
  const fields = new Map(details.map(({ key, value }) => [key, value]));
  if (hashes.size > 0) fields.set('Hashes', JSON.stringify(Object.fromEntries(hashes)));
  return {
    positive,
    negative,
    fields,
    prompt: metadata.prompt !== undefined,
    workflow: metadata.workflow !== undefined,
    ...(written && { leftOut: leftOutOf(metadata.parameters, fields, written) }),
  };
}

function leftOutOf(
  { positive, negative }: Parameters,
  fields: ReadonlyMap<string, string>,
  { text, dropped }: Pick<Embedded, 'text' | 'dropped'>,
): ReadonlySet<string> {
  const names = new Set<string>();
  const [line = ''] = text.split('\n').slice(-1);
  for (const [key, value] of fields)
    if (
      !`, ${line}`.includes(`, ${key}: ${escapeNonAscii(value)}`) &&
      !`, ${line}`.includes(`, ${key}: ${value}`)
    )
      names.add(key);
  if (!text.startsWith(`${positive}\nNegative prompt: `)) names.add('positive');
  if (!text.includes(`\nNegative prompt: ${negative}\n`)) names.add('negative');
  for (const { what } of dropped) {
    if (what === 'prompt') names.add('prompt graph');
    if (what === 'workflow') names.add('workflow');
  }
  return names;
}
