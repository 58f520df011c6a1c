import { parseInfotext, renderParameters } from '../infotext.ts';
import type { Scrubber } from './scrub.ts';

/** Keys of the details line that tell of people. */
const PEOPLE = /^(?:user|author|artist|creator|owner|copyright|notes?|comments?)$/i;

/** A generation text for a client: prompts and settings, without folders, keys and who made it. */
export function clientText(text: string, { scrub }: Scrubber): string {
  const parameters = parseInfotext(text);
  const details = parameters.details
    .filter(({ key }) => !PEOPLE.test(key))
    .map(({ key, value }) => ({ key, value: scrub(value) }));
  const cleaned = {
    ...parameters,
    details,
    positive: scrub(parameters.positive),
    negative: scrub(parameters.negative),
    hashes: new Map([...parameters.hashes].map(([name, hash]) => [scrub(name), hash])),
  };
  const isSame = renderParameters(cleaned) === renderParameters(parameters);
  // What holds nothing of the kind stays as it is, whoever wrote it.
  return isSame ? text : renderParameters(cleaned);
}
