import { LineageError } from '../kit/errors.ts';

/**
 * A scanner for the XML that XMP packets are made of: tags with their places in the text, so that a packet can be
 * changed in one spot and kept everywhere else. Linear in the text; no document types, no entities but the five.
 * @see https://www.w3.org/TR/xml/ and https://www.w3.org/TR/xml-names/
 */

/** One attribute: its name as written, its decoded value and the place of the raw value between the quotes. */
type XmlAttribute = {
  readonly name: string;
  readonly value: string;
  readonly from: number;
  readonly to: number;
};

/** One element: places of its start tag and end tag in the text; both are the same where it is empty (`<a/>`). */
export type XmlElement = {
  /** Namespace and local name, `{namespace}name`. */
  readonly name: string;
  /** The name as written, with its prefix. */
  readonly written: string;
  readonly attributes: readonly (XmlAttribute & { readonly expanded: string })[];
  readonly children: XmlElement[];
  readonly from: number;
  /** Where the start tag ends and the content begins. */
  readonly contentFrom: number;
  /** Where the content ends and the end tag begins. */
  contentTo: number;
  to: number;
  readonly isEmptyTag: boolean;
};

type Scope = ReadonlyMap<string, string>;

/** XMP nests about ten deep; a packet that goes further is hostile. */
const MAX_DEPTH = 100;
/** Elements in one packet; the largest met (edit histories) have some thousands. */
const MAX_ELEMENTS = 200_000;
/** Namespaces in scope at one place; the largest packets met declare some twenty. */
const MAX_NAMESPACES = 200;
const SPACE = /[\t\n\r ]/;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function malformed(message: string, at: number): LineageError {
  return new LineageError('xmp/malformed', message, { byte: at });
}

/**
 * Reads the elements of a document.
 *
 * @returns the root element.
 * @throws LineageError `xmp/malformed`
 */
export function readXml(text: string): XmlElement {
  const open: { element: XmlElement; scope: Scope }[] = [];
  let root: XmlElement | undefined;
  let count = 0;
  let at = 0;
  for (;;) {
    const from = text.indexOf('<', at);
    if (from < 0) break;
    at = skipMarkup(text, from);
    if (at > from) continue;
    if (text[from + 1] === '/') {
      const end = indexAfter(text, '>', from);
      const top = open.pop();
      const written = text.slice(from + 2, end - 1).trimEnd();
      if (top === undefined || top.element.written !== written)
        throw malformed('expected an end tag that matches, got another', from);
      top.element.contentTo = from;
      top.element.to = end;
      at = end;
      continue;
    }
    const parent = open.at(-1);
    const { element, scope } = readStartTag(
      text,
      from,
      parent?.scope ?? new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]),
    );
    if (parent !== undefined) parent.element.children.push(element);
    else if (root === undefined) root = element;
    else throw malformed('expected one root element, got a second', from);
    if (!element.isEmptyTag) open.push({ element, scope });
    if (open.length > MAX_DEPTH || ++count > MAX_ELEMENTS)
      throw malformed('expected an XMP packet, got one nested or grown beyond any', from);
    at = element.contentFrom;
  }
  if (root === undefined || open.length > 0)
    throw malformed('expected a whole XML document, got a part', text.length);
  return root;
}

/** Steps over a comment, a processing instruction or CDATA; answers with `from` at a tag. */
function skipMarkup(text: string, from: number): number {
  if (text.startsWith('<!--', from)) return indexAfter(text, '-->', from + 4);
  if (text.startsWith('<?', from)) return indexAfter(text, '?>', from + 2);
  if (text.startsWith('<![CDATA[', from)) return indexAfter(text, ']]>', from + 9);
  if (text.startsWith('<!', from)) throw malformed('expected no document type in XMP, got one', from);
  return from;
}

function indexAfter(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  if (at < 0) throw malformed(`expected ${what}, got the end of the text`, from);
  return at + what.length;
}

function readStartTag(text: string, from: number, outer: Scope): { element: XmlElement; scope: Scope } {
  const nameEnd = endOfName(text, from + 1);
  const written = text.slice(from + 1, nameEnd);
  const attributes: XmlAttribute[] = [];
  const names = new Set<string>();
  let at = nameEnd;
  for (;;) {
    const spaceFrom = at;
    while (SPACE.test(text[at] ?? '')) at++;
    if (text[at] === '>' || text.startsWith('/>', at)) break;
    if (at === spaceFrom) throw malformed('expected white space before an attribute, got none', at);
    const end = endOfName(text, at);
    const name = text.slice(at, end);
    if (names.has(name)) throw malformed(`expected each attribute once, got ${name} again`, at);
    names.add(name);
    at = end;
    while (SPACE.test(text[at] ?? '')) at++;
    if (text[at] !== '=') throw malformed('expected an attribute with a value, got other text', at);
    at++;
    while (SPACE.test(text[at] ?? '')) at++;
    const quote = text[at];
    if (quote !== '"' && quote !== "'")
      throw malformed('expected a quoted attribute value, got other text', at);
    const to = indexAfter(text, quote, at + 1) - 1;
    attributes.push({ name, value: decodeXml(text.slice(at + 1, to)), from: at + 1, to });
    at = to + 1;
  }
  const isEmptyTag = text[at] === '/';
  const contentFrom = at + (isEmptyTag ? 2 : 1);
  const scope = extendScope(outer, attributes);
  const element: XmlElement = {
    name: expand(written, scope, scope.get('') ?? ''),
    written,
    attributes: attributes.map((attribute) => ({
      ...attribute,
      expanded: expand(attribute.name, scope, ''),
    })),
    children: [],
    from,
    contentFrom,
    contentTo: contentFrom,
    to: contentFrom,
    isEmptyTag,
  };
  return { element, scope };
}

/** A name ends at white space, `=`, `/`, `>` or `<`; it has at least one character. */
function endOfName(text: string, from: number): number {
  let at = from;
  while (at < text.length && !/[\t\n\r =/><"']/.test(text[at] ?? '')) at++;
  if (at === from) throw malformed('expected a name, got other text', from);
  return at;
}

function extendScope(outer: Scope, attributes: readonly XmlAttribute[]): Scope {
  const declared = attributes.filter(({ name }) => name === 'xmlns' || name.startsWith('xmlns:'));
  if (declared.length === 0) return outer;
  if (outer.size + declared.length > MAX_NAMESPACES)
    throw malformed('expected some namespaces, got hundreds', 0);
  return new Map([...outer, ...declared.map(({ name, value }): [string, string] => [name.slice(6), value])]);
}

/** `prefix:name` as `{namespace}name`. A prefix that nobody declared stands for itself. */
function expand(written: string, scope: Scope, unprefixed: string): string {
  const colon = written.indexOf(':');
  if (colon < 0) return `{${unprefixed}}${written}`;
  const prefix = written.slice(0, colon);
  return `{${scope.get(prefix) ?? prefix}}${written.slice(colon + 1)}`;
}

/** Text with its CDATA sections and character references resolved; an unknown reference stays as it is. */
export function decodeXml(raw: string): string {
  if (!raw.includes('&') && !raw.includes('<![CDATA[')) return raw;
  const parts = raw.split('<![CDATA[');
  const decoded = [decodeReferences(parts[0] ?? '')];
  for (const part of parts.slice(1)) {
    const end = part.indexOf(']]>');
    decoded.push(end < 0 ? part : part.slice(0, end) + decodeReferences(part.slice(end + 3)));
  }
  return decoded.join('');
}

function decodeReferences(raw: string): string {
  return raw.replace(
    /&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-z]{2,4}));/g,
    (whole, hex, decimal, name) => {
      if (name !== undefined) return ENTITIES[name] ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/**
 * Text as XML 1.0 element content. Quotation marks stay: they need no escape there, JSON is full of them, and some
 * readers show entities as they stand.
 *
 * @throws LineageError `xmp/malformed` for a character that XML cannot hold (control characters, lone surrogates):
 *   the caller escapes those as JSON does
 */
export function encodeXml(text: string): string {
  const bad = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.exec(text);
  if (bad !== null) throw malformed('expected characters that XML 1.0 can hold, got another', bad.index);
  return text.replace(/[&<>\r\n\t]/g, (char) => ESCAPES[char] ?? char);
}

/**
 * Text as the value of an attribute between double quotes.
 *
 * @throws LineageError `xmp/malformed` as `encodeXml` does
 */
export function encodeXmlAttribute(text: string): string {
  return encodeXml(text).replaceAll('"', '&quot;');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\r': '&#xD;',
  '\n': '&#xA;',
  '\t': '&#x9;',
};
