/** What `re.sub` puts in place of a match: text between groups, by number or name. */
type TemplatePart = { readonly text: string } | { readonly group: number | string };

const CONTROLS: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/**
 * Reads a replacement as Python does: `\1`, `\g<1>`, `\g<name>`, `\n`; other escapes of letters are refused, those of
 * anything else stay as they stand.
 * @throws SyntaxError where Python would raise `re.error`
 * @see https://docs.python.org/3.11/library/re.html#re.sub
 */
export function parseTemplate(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  const escapes = /\\(?:g<([^>]*)>|(0[0-7]{0,2}|[1-3][0-7]{2})|([1-9]\d?)|([\s\S]|$))/gu;
  let at = 0;
  for (const match of template.matchAll(escapes)) {
    parts.push({ text: template.slice(at, match.index) }, partOf(match));
    at = match.index + match[0].length;
  }
  return [...parts, { text: template.slice(at) }];
}

function partOf([whole, reference, octal, number, other]: RegExpMatchArray): TemplatePart {
  if (reference !== undefined) {
    if (/^\d+$/.test(reference)) return { group: Number(reference) };
    if (/^[\p{L}_][\p{L}\p{N}_]*$/u.test(reference)) return { group: reference };
    throw new SyntaxError(`bad name of a group: ${reference}`);
  }
  if (octal !== undefined) return { text: String.fromCodePoint(Number.parseInt(octal, 8)) };
  if (number !== undefined) return { group: Number(number) };
  const control = CONTROLS[other ?? ''];
  if (control !== undefined) return { text: control };
  if (other === '' || other === undefined || /[A-Za-z\d]/.test(other)) {
    throw new SyntaxError(`bad escape ${whole}`);
  }
  return { text: whole };
}

/**
 * The text in place of one match; a group that caught nothing is empty.
 * @throws SyntaxError for a group that the pattern lacks
 */
export function fillTemplate(parts: readonly TemplatePart[], match: RegExpMatchArray): string {
  return parts.map((part) => ('text' in part ? part.text : groupOf(part.group, match))).join('');
}

function groupOf(group: number | string, match: RegExpMatchArray): string {
  if (typeof group === 'number') {
    if (group < match.length) return match[group] ?? '';
  } else if (match.groups && Object.hasOwn(match.groups, group)) return match.groups[group] ?? '';
  throw new SyntaxError(`the pattern has no group ${group}`);
}
