import exifr from 'exifr';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spliceJpeg } from '../../nodes/formats/jpeg.ts';
import { readXmpProperty, setXmpProperty } from '../../nodes/formats/xmp.ts';
import { exiftool, findingsOf } from '../peers.ts';
import { failsAsTyped, makeImage, withFile } from './samples.ts';

const RECORD = { namespace: 'https://example.test/ns/1.0/', prefix: 'lin', name: 'record' } as const;
const CODES = ['xmp/malformed'] as const;
const RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"';
const THEIRS = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 5.6">
 <!-- a <comment> -->
 <rdf:RDF ${RDF}>
  <rdf:Description rdf:about="uuid:1" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5">
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">a &lt;b&gt;</rdf:li></rdf:Alt></dc:title>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`;

describe('setXmpProperty', () => {
  test('into another packet: a description of its own, the rest character for character; null restores it', () => {
    const out = setXmpProperty(THEIRS, RECORD, '{"a":"<&>"}');
    const added =
      '<rdf:Description rdf:about="uuid:1" xmlns:lin="https://example.test/ns/1.0/"><lin:record>{"a":"&lt;&amp;&gt;"}</lin:record></rdf:Description>';
    expect(out).toBe(THEIRS.replace('</rdf:RDF>', `${added}</rdf:RDF>`));
    expect(readXmpProperty(out, RECORD)).toBe('{"a":"<&>"}');
    expect(setXmpProperty(out, RECORD, '{"a":"<&>"}')).toBe(out);
    expect(setXmpProperty(out, RECORD, null)).toBe(THEIRS);
  });

  test('into a packet whose RDF is the default namespace: with a prefix of its own; null restores it', async () => {
    const packet =
      '<x:xmpmeta xmlns:x="adobe:ns:meta/"><RDF xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="a"/></RDF></x:xmpmeta>';
    const out = setXmpProperty(packet, RECORD, '{"a":1}');
    expect(readXmpProperty(out, RECORD)).toBe('{"a":1}');
    expect(setXmpProperty(out, RECORD, '{"a":1}')).toBe(out);
    expect(setXmpProperty(out, RECORD, null)).toBe(packet);
    const jpeg = spliceJpeg(await makeImage('jpeg'), { xmp: out });
    const seen = await exifr.parse(Buffer.from(jpeg), { xmp: true, mergeOutput: false });
    expect(JSON.stringify(seen)).toContain('{\\"a\\":1}');
  });

  test('replaces every spelling of the property: attribute, element, other prefix, other quotes', () => {
    const packet = `<rdf:RDF ${RDF}><rdf:Description rdf:about='' xmlns:q='${RECORD.namespace}' q:record='old' q:other='stays'/><rdf:Description xmlns:z="${RECORD.namespace}"><z:record>older</z:record><z:more>too</z:more></rdf:Description></rdf:RDF>`;
    expect(readXmpProperty(packet, RECORD)).toBe('old');
    const out = setXmpProperty(packet, RECORD, 'new');
    expect(readXmpProperty(out, RECORD)).toBe('new');
    expect(out).not.toContain('old');
    expect(out).toContain("q:other='stays'/>");
    expect(out).toContain('<z:more>too</z:more>');
  });

  test('opens an empty rdf:RDF', () => {
    expect(setXmpProperty(`<rdf:RDF ${RDF}/>`, { ...RECORD, prefix: 'p' }, 'x')).toBe(
      `<rdf:RDF ${RDF}><rdf:Description rdf:about="" xmlns:p="${RECORD.namespace}"><p:record>x</p:record></rdf:Description></rdf:RDF>`,
    );
  });

  test('reads CDATA and character references', () => {
    const packet = `<rdf:RDF ${RDF}><rdf:Description xmlns:p="${RECORD.namespace}"><p:record>a&#x41;&#66;&apos;<![CDATA[<&]]>&unknown;</p:record></rdf:Description></rdf:RDF>`;
    expect(readXmpProperty(packet, RECORD)).toBe("aAB'<&&unknown;");
  });

  test.each(['a\0b', '\u0007', '\ud800', '\uffff'])('refuses %j, which XML cannot hold', (value) => {
    expect(() => setXmpProperty(undefined, RECORD, value)).toThrow(
      expect.objectContaining({ code: 'xmp/malformed' }),
    );
  });

  test.each([
    ['no XML', 'hello'],
    ['no RDF', '<x/>'],
    ['a document type', `<!DOCTYPE x [<!ENTITY a "b">]><rdf:RDF ${RDF}/>`],
    ['an open element', `<rdf:RDF ${RDF}>`],
    ['crossed elements', `<rdf:RDF ${RDF}><a><b></a></b></rdf:RDF>`],
    ['attributes that touch', `<rdf:RDF ${RDF}><a b="c="d="e"/></rdf:RDF>`],
    ['an attribute twice', `<rdf:RDF ${RDF}><a b="c" b="d"/></rdf:RDF>`],
    ['depth', `<rdf:RDF ${RDF}>${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}</rdf:RDF>`],
  ])('refuses %s', (_, packet) => {
    expect(() => setXmpProperty(packet, RECORD, 'x')).toThrow(
      expect.objectContaining({ code: 'xmp/malformed' }),
    );
  });

  test.each([
    ['open brackets', '<'.repeat(1_000_000)],
    ['spaces in a tag', `<rdf:RDF ${RDF}${' '.repeat(1_000_000)}`],
    ['attributes', `<rdf:RDF ${RDF}${Array.from({ length: 200_000 }, (_, i) => ` a${i}="b"`).join('')}/>`],
    ['references', `<rdf:RDF ${RDF}><a>${'&#x'.repeat(300_000)}</a></rdf:RDF>`],
  ])('a million %s take less than two seconds', (_, packet) => {
    const start = performance.now();
    failsAsTyped(() => setXmpProperty(packet, RECORD, 'x'), CODES);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  test('any text that XML can hold comes back; damage ends as typed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (value) => {
        expect(readXmpProperty(setXmpProperty(undefined, RECORD, value), RECORD)).toBe(value);
        const inTheirs = setXmpProperty(THEIRS, RECORD, value);
        expect(readXmpProperty(inTheirs, RECORD)).toBe(value);
        expect(setXmpProperty(inTheirs, RECORD, null)).toBe(THEIRS);
      }),
    );
    fc.assert(
      fc.property(
        fc.nat(THEIRS.length - 1),
        fc.constantFrom('<', '>', '"', '/', '&', ' ', '', '='),
        (at, char) => {
          failsAsTyped(
            () => setXmpProperty(THEIRS.slice(0, at) + char + THEIRS.slice(at + 1), RECORD, 'x'),
            CODES,
          );
        },
      ),
    );
  });
});

describe('other readers', () => {
  const value = '{"a":"<&>\\u732b"}\n\ttab';

  test('exifr reads the property and what was there', async () => {
    const jpeg = spliceJpeg(await makeImage('jpeg'), { xmp: setXmpProperty(THEIRS, RECORD, 'plain') });
    const seen = await exifr.parse(Buffer.from(jpeg), { xmp: true, mergeOutput: false });
    expect([seen.lin.record, seen.xmp.Rating]).toEqual(['plain', 5]);
  });

  test.skipIf(!exiftool.available)('exiftool reads the exact text and finds nothing to say', async () => {
    const jpeg = spliceJpeg(await makeImage('jpeg'), { xmp: setXmpProperty(undefined, RECORD, value) });
    await withFile(jpeg, 'jpg', (file) => {
      expect(findingsOf(file)).toBe('');
      expect(exiftool.run(['-b', '-XMP-lin:Record', file])).toBe(value);
    });
  });
});
