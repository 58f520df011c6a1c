import type { Learnt } from './learn.ts';
import { asText } from './operations.ts';
import type { Size } from './picture-size.ts';
import { fileStem } from './plain-text.ts';

/** Longer prompts make no better file names. */
const MAX_PROMPT_CHARACTERS = 80;

/** What `%tokens%` of a file name stand for. */
export type NameFacts = {
  readonly learnt: Learnt;
  readonly size: Size;
  readonly now: Date;
};

/**
 * Fills the tokens of a file name prefix: `%seed% %width% %height% %model% %pprompt% %nprompt%`, each text with an
 * optional length (`%model:8%`), and `%date%` with an optional format (`%date:yyyy-MM-dd%`: yyyy yy MM dd hh mm ss).
 * A token whose fact is unknown becomes empty; what is no token of ours stays for the host. Values never add folders.
 */
export function fillFileName(prefix: string, { learnt, size, now }: NameFacts): string {
  const [first] = learnt.captures;
  const fact = (field: 'SEED' | 'MODEL_NAME'): string => {
    const found = first.facts.find((each) => each.field === field);
    return found ? asText(found.value) : '';
  };
  return prefix.replace(/%([a-z]+)(?::([^%]*))?%/g, (token, name: string, argument: string | undefined) => {
    const value = (text: string, longest?: number): string => flat(cut(text, argument, longest));
    switch (name) {
      case 'seed':
        return value(fact('SEED'));
      case 'width':
        return String(size.width);
      case 'height':
        return String(size.height);
      case 'model':
        return value(fileStem(fact('MODEL_NAME')));
      case 'pprompt':
        return value(first.positive, MAX_PROMPT_CHARACTERS);
      case 'nprompt':
        return value(first.negative, MAX_PROMPT_CHARACTERS);
      case 'date':
        return flat(formatDate(now, argument ?? 'yyyyMMddhhmmss'));
      default:
        return token;
    }
  });
}

function cut(text: string, argument: string | undefined, longest = Number.POSITIVE_INFINITY): string {
  const wanted = argument !== undefined && /^\d+$/.test(argument) ? Number(argument) : longest;
  return [...text].slice(0, wanted).join('').trim();
}

/** One path component, whatever the text: a prompt must not choose a folder. */
function flat(text: string): string {
  return text
    .replace(/[\\/\s]+/g, ' ')
    .replace(/\.{2,}/g, '.')
    .trim();
}

function formatDate(date: Date, format: string): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const parts: Readonly<Record<string, string>> = {
    yyyy: String(date.getFullYear()).padStart(4, '0'),
    yy: two(date.getFullYear() % 100),
    MM: two(date.getMonth() + 1),
    dd: two(date.getDate()),
    hh: two(date.getHours()),
    mm: two(date.getMinutes()),
    ss: two(date.getSeconds()),
  };
  return format.replace(/yyyy|yy|MM|dd|hh|mm|ss/g, (part) => parts[part] ?? part);
}
