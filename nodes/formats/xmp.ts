import { LineageError } from '../kit/errors.ts';
import { decodeXml, encodeXml, encodeXmlAttribute, readXml, type XmlElement } from './xml.ts';

/** A simple XMP property: a text under a namespace. */
export type XmpProperty = {
  /** The namespace URI; what tells properties apart. */
  readonly namespace: string;
  /** The prefix to declare it with where the packet has none; readers show it. */
  readonly prefix: string;
  readonly name: string;
};

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
/** The text an `xpacket` header carries. @see ISO 16684-1, 7.3.2 */
const PACKET_ID = 'W5M0MpCehiHzreSzNTczkc9d';

/** The rdf:RDF element: the root, or a child of x:xmpmeta. */
function findRdf(packet: string): XmlElement {
  const root = readXml(packet);
  const rdf = root.name === `{${RDF}}RDF` ? root : root.children.find(({ name }) => name === `{${RDF}}RDF`);
  if (rdf === undefined)
    throw new LineageError('xmp/malformed', `expected rdf:RDF, got ${root.written.slice(0, 80)}`);
  return rdf;
}

function descriptionsOf(rdf: XmlElement): XmlElement[] {
  return rdf.children.filter(({ name }) => name === `{${RDF}}Description`);
}

/**
 * Reads a simple property, written as an element or as an attribute of rdf:Description.
 *
 * @returns undefined where the packet has none, or a structured one.
 * @throws LineageError `xmp/malformed`
 */
export function readXmpProperty(
  packet: string,
  { namespace, name }: Omit<XmpProperty, 'prefix'>,
): string | undefined {
  const expanded = `{${namespace}}${name}`;
  for (const description of descriptionsOf(findRdf(packet))) {
    const attribute = description.attributes.find((candidate) => candidate.expanded === expanded);
    if (attribute !== undefined) return attribute.value;
    const element = description.children.find((child) => child.name === expanded);
    if (element !== undefined && element.children.length === 0)
      return decodeXml(packet.slice(element.contentFrom, element.contentTo));
  }
  return undefined;
}

/**
 * Sets or removes one simple property and keeps every other character of the packet. A new property gets an
 * rdf:Description of its own; all old values of it go.
 *
 * @param packet undefined makes a minimal packet (an empty one for a null value).
 * @param value text; null removes. Characters that XML 1.0 cannot hold must be escaped before (as JSON does).
 * @throws LineageError `xmp/malformed` for a broken packet or an unfit value
 * @see ISO 16684-1 (XMP), 7.4 to 7.5
 */
export function setXmpProperty(
  packet: string | undefined,
  property: XmpProperty,
  value: string | null,
): string {
  if (packet === undefined)
    return makePacket(value === null ? '' : makeDescription(property, value, 'rdf', ''));
  const cleaned = removeProperty(packet, property);
  if (value === null) return cleaned;
  const rdf = findRdf(cleaned);
  const [prefix] = rdf.written.includes(':') ? rdf.written.split(':', 1) : [];
  const description = makeDescription(property, value, prefix, aboutOf(rdf));
  if (!rdf.isEmptyTag)
    return `${cleaned.slice(0, rdf.contentTo)}${description}${cleaned.slice(rdf.contentTo)}`;
  return `${cleaned.slice(0, rdf.contentFrom - 2)}>${description}</${rdf.written}>${cleaned.slice(rdf.to)}`;
}

/** All descriptions of a packet speak of the same thing, so a new one repeats what the first says. */
function aboutOf(rdf: XmlElement): string {
  const [first] = descriptionsOf(rdf);
  return first?.attributes.find(({ expanded }) => expanded === `{${RDF}}about`)?.value ?? '';
}

/** Cuts every form of the property out, and descriptions that held nothing else. */
function removeProperty(packet: string, { namespace, name }: XmpProperty): string {
  const expanded = `{${namespace}}${name}`;
  const cuts: { from: number; to: number }[] = [];
  for (const description of descriptionsOf(findRdf(packet))) {
    const ours = description.children.filter((child) => child.name === expanded);
    const attributes = description.attributes.filter((attribute) => attribute.expanded === expanded);
    if (ours.length === 0 && attributes.length === 0) continue;
    const othersSay = description.attributes.some(
      (attribute) => attribute.expanded !== expanded && saysSomething(attribute),
    );
    if (!othersSay && ours.length === description.children.length) {
      cuts.push({ from: description.from, to: description.to });
      continue;
    }
    for (const attribute of attributes)
      cuts.push({ from: startOfAttribute(packet, attribute), to: attribute.to + 1 });
    for (const child of ours) cuts.push({ from: child.from, to: child.to });
  }
  const kept: string[] = [];
  let at = 0;
  for (const { from, to } of cuts.toSorted((a, b) => a.from - b.from)) {
    kept.push(packet.slice(at, from));
    at = to;
  }
  return kept.join('') + packet.slice(at);
}

/** Namespace declarations, `rdf:about` and `xml:` attributes are no properties. */
function saysSomething({ name, expanded }: { readonly name: string; readonly expanded: string }): boolean {
  return (
    name !== 'xmlns' && !name.startsWith('xmlns:') && !name.startsWith('xml:') && expanded !== `{${RDF}}about`
  );
}

/** The white space before an attribute goes with it. */
function startOfAttribute(
  packet: string,
  { name, from }: { readonly name: string; readonly from: number },
): number {
  let at = packet.lastIndexOf(name, from);
  while (/[\t\n\r ]/.test(packet[at - 1] ?? '')) at--;
  return at;
}

function makeDescription(
  { namespace, prefix, name }: XmpProperty,
  value: string,
  knownPrefix: string | undefined,
  about: string,
): string {
  const rdf = knownPrefix ?? 'rdf';
  // RDF as the default namespace gives attributes none: the description declares a prefix of its own.
  const declared = knownPrefix === undefined ? ` xmlns:rdf="${RDF}"` : '';
  return (
    `<${rdf}:Description${declared} ${rdf}:about="${encodeXmlAttribute(about)}" xmlns:${prefix}="${encodeXmlAttribute(namespace)}">` +
    `<${prefix}:${name}>${encodeXml(value)}</${prefix}:${name}></${rdf}:Description>`
  );
}

/** A packet of its own, without padding: whoever changes it writes the file anew. */
function makePacket(description: string): string {
  return (
    `<?xpacket begin="\u{feff}" id="${PACKET_ID}"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="${RDF}">` +
    `${description}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
  );
}
