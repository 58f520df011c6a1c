import { readXmpProperty, setXmpProperty, type XmpProperty } from '../formats/xmp.ts';

/**
 * How IPTC says that a generative model made a picture; what Article 50 of the EU AI Act asks for can be read from it.
 * @see https://cv.iptc.org/newscodes/digitalsourcetype/ and IPTC Photo Metadata Standard, "Digital Source Type"
 */
export const GENERATED_BY_MODEL = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';

/** Where IPTC keeps it. */
export const DIGITAL_SOURCE: XmpProperty = {
  namespace: 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/',
  prefix: 'Iptc4xmpExt',
  name: 'DigitalSourceType',
};

/**
 * An XMP packet that says where the picture comes from. What one says already stays: its author knows better.
 *
 * @param packet absent: a minimal one is made, where there is something to say
 * @param source an address of IPTC's vocabulary; absent: nothing is added
 * @throws LineageError `xmp/malformed`
 */
export function withDigitalSource(
  packet: string | undefined,
  source: string | undefined,
): string | undefined {
  if (source === undefined) return packet;
  if (packet !== undefined && readXmpProperty(packet, DIGITAL_SOURCE) !== undefined) return packet;
  return setXmpProperty(packet, DIGITAL_SOURCE, source);
}
