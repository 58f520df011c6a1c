import type { Learnt } from './learn.ts';
import { formatDate, strftime } from './name-dates.ts';
import type { NamedWidgets } from './named-widgets.ts';
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
  /** The picture's number in its batch, from 0. */
  readonly batchNumber?: number;
  /** What `%Node.widget%` stands for. */
  readonly widgets?: NamedWidgets;
};

/** A token that closes: `%name%`, `%name:argument%`, `%Node title.widget%`. */
const CLOSED = /%([^%]+)%/y;
/** A conversion of `strftime`, which nothing closes. */
const CONVERSION = /%([A-Za-z])/y;
/** A word, or a widget, between two signs that is none of ours is another program's; `%Hh%M` has two conversions in it. */
const FOREIGN = /^(?:[A-Za-z_]{3,}|[A-Za-z_][\w ()|:&-]{2,}\.\w+)$/;

/**
 * Fills the tokens of a file name prefix, the first kind that fits:
 *
 * - ours: `%seed% %width% %height% %model% %pprompt% %nprompt%`, each text with an optional length (`%model:8%`);
 * - ComfyUI's: `%date%` with an optional format (`%date:yyyy-MM-dd%`), `%Node.widget%` by the node's name for search and
 *   replace or its title, `%year% %month% %day% %hour% %minute% %second% %batch_num%`;
 * - conversions of `strftime`: `%Y-%m-%d`.
 *
 * A token whose fact is unknown becomes empty; what is no token stays for the host. Values never add folders, lead out
 * of one or make the path absolute.
 */
export function fillFileName(prefix: string, facts: NameFacts): string {
  let filled = '';
  for (let at = 0; at < prefix.length; ) {
    const closed = matchAt(CLOSED, prefix, at);
    const value = closed && fillToken(closed[1] ?? '', facts);
    if (closed && (value !== undefined || FOREIGN.test(closed[1] ?? ''))) {
      filled += value ?? closed[0];
      at += closed[0].length;
      continue;
    }
    const conversion = matchAt(CONVERSION, prefix, at);
    const date = conversion && strftime(facts.now, conversion[1] ?? '');
    filled += date ?? prefix[at];
    at += date === undefined ? 1 : 2;
  }
  return withinFolder(prefix, filled);
}

/** What the person typed may be refused later; what values made of it must not lead anywhere. */
function withinFolder(prefix: string, filled: string): string {
  const relative = /^[\\/]/.test(prefix) ? filled : filled.replace(/^[\\/]+/, '');
  if (prefix.includes('..')) return relative;
  return relative.replace(/(^|[\\/])\s*\.[.\s]*\.\s*(?=[\\/]|$)/g, '$1_');
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

/** Undefined for what is no token. */
function fillToken(token: string, facts: NameFacts): string | undefined {
  const { learnt, size, now, batchNumber = 0, widgets } = facts;
  const [first] = learnt.captures;
  const [, name = '', argument] = /^([a-z_]+)(?::(.*))?$/s.exec(token) ?? [];
  const fact = (field: 'SEED' | 'MODEL_NAME'): string => {
    const found = first.facts.find((each) => each.field === field);
    return found ? asText(found.value) : '';
  };
  const text = (value: string, longest?: number): string => flat(cut(value, argument, longest));
  switch (name) {
    case 'seed':
      return text(fact('SEED'));
    case 'width':
      return String(size.width);
    case 'height':
      return String(size.height);
    case 'model':
      return text(fileStem(fact('MODEL_NAME')));
    case 'pprompt':
      return text(first.positive, MAX_PROMPT_CHARACTERS);
    case 'nprompt':
      return text(first.negative, MAX_PROMPT_CHARACTERS);
    case 'date':
      return flat(formatDate(now, argument ?? 'yyyyMMddhhmmss'));
    case 'batch_num':
      return String(batchNumber);
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
    case 'minute':
    case 'second':
      return strftime(now, SERVER_DATES[name]);
    default:
      return widgetValue(token, widgets);
  }
}

/** @see ComfyUI 618b803d folder_paths.py get_save_image_path */
const SERVER_DATES = { year: 'Y', month: 'm', day: 'd', hour: 'H', minute: 'M', second: 'S' } as const;

/** The front end fills these for its own nodes only; a name with a dot in it has no such token there either. */
function widgetValue(token: string, widgets: NamedWidgets | undefined): string | undefined {
  const [node = '', widget = '', ...more] = token.split('.');
  if (node === '' || widget === '' || more.length > 0) return undefined;
  const value = widgets?.(node, widget);
  return value === undefined ? undefined : flat(value.replace(/[\\/]/g, '_'));
}

function cut(text: string, argument: string | undefined, longest = Number.POSITIVE_INFINITY): string {
  const wanted = argument !== undefined && /^\d+$/.test(argument) ? Number(argument) : longest;
  return [...text].slice(0, wanted).join('').trim();
}

/** A piece of one path component, whatever the text: a prompt must not choose a folder, nor a drive. */
function flat(text: string): string {
  return text
    .replace(/[\\/\s]+/g, ' ')
    .replace(/:/g, '_')
    .replace(/\.{2,}/g, '.')
    .trim();
}
