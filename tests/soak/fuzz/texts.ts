import type { Draw } from '../draw.ts';

/** The marks that readers, splicers and parsers of texts look for. */
const MARKS = [
  ...[
    'Steps: 20, ',
    '\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 8x8, Model: m',
    '\n',
    '\r\n',
  ],
  ...['Negative prompt:', '\nNegative prompt: ', ', ', ': ', '"', "'", '{', '}', '[', ']', '(', ')', '\\'],
  ...[
    '<lora:a:1>',
    '<lora:',
    '<hypernet:',
    '>',
    'Hashes: {',
    ', Hashes: {"model":"00"}',
    'Lora hashes: "a: b"',
  ],
  ...[
    'Template: ',
    '\nNegative Template: ',
    'Civitai resources: [{',
    '}]',
    'Civitai metadata: {',
    'Samplers: ',
  ],
  ...[
    'Size: 1x2',
    'Seed: 9',
    'Seed: 99999999999999999999999',
    'CFG scale: NaN',
    '__proto__: 1, ',
    'constructor',
  ],
  ...['\ufeff', '\ud800', '\udc00', '\0', '狐', '🦊', 'é', '\u2028', '\x85', ' ', '\t', 'x', '%date:yyyy%'],
  ...[
    'prompt:{"1":{"class_type":"KSampler"}}',
    'workflow:{"nodes":[]}',
    '{"sui_image_params":{',
    'embedding:a',
  ],
  ...[
    'C:\\Users\\fox\\models\\a.safetensors',
    '/home/fox/models/b.ckpt',
    'sk-0123456789abcdef0123456789abcdef',
  ],
  ...[
    'data:image/png;base64,iVBORw0KGgo',
    '&amp;',
    '&#0;',
    '&lol;',
    ']]>',
    '<!--',
    '<?xpacket',
    '$&',
    '(a:1.2)',
  ],
] as const;

const XML = [
  ...['<x:xmpmeta xmlns:x="adobe:ns:meta/">', '</x:xmpmeta>', '<rdf:RDF xmlns:rdf="', '</rdf:RDF>'],
  ...['http://www.w3.org/1999/02/22-rdf-syntax-ns#">', '<rdf:Description rdf:about=""', '</rdf:Description>'],
  ...[
    ' xmlns:lineage="urn:lineage-nodes:xmp:1.0/"',
    '<lineage:record>',
    '</lineage:record>',
    'lineage:record="',
  ],
  ...[' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"', '<Iptc4xmpExt:DigitalSourceType>'],
  ...[
    '<!DOCTYPE a [<!ENTITY b "c">]>',
    '<![CDATA[',
    ']]>',
    '<!--',
    '-->',
    '<?xpacket end="w"?>',
    '<a>',
    '</a>',
  ],
  ...['<a', '/>', '>', '"', "'", '=', '&lt;', '&#x41;', '&#xd800;', '&lol;', ' xml:lang="', '{}', '\0', '狐'],
] as const;

const LONG_UNITS = [
  'a',
  ' ',
  '{',
  '[',
  '(',
  '"',
  '\\',
  '<lora:',
  'Steps: 1\n',
  ', ',
  'Ab cd ',
  '<a>',
  '&',
  '\n',
] as const;

/** A text of such marks: short ones mostly, seldom one of many thousand characters. */
export function drawText(draw: Draw): string {
  if (draw.once(60)) return draw.pick(LONG_UNITS).repeat(draw.below(20_000));
  return joinMarks(draw, MARKS);
}

/** A packet of pieces of XMP, seldom in order. */
export function drawXmp(draw: Draw, packet: string): string {
  if (draw.once(60)) return draw.pick(LONG_UNITS).repeat(draw.below(15_000));
  if (draw.once(3)) return joinMarks(draw, XML);
  const at = draw.below(packet.length);
  const cut = draw.once(2) ? draw.below(20) : 0;
  return packet.slice(0, at) + joinMarks(draw, XML) + packet.slice(at + cut);
}

function joinMarks(draw: Draw, marks: readonly string[]): string {
  const parts = Array.from({ length: draw.below(25) }, () => {
    if (draw.once(10)) return String.fromCharCode(draw.below(0x1_0000));
    const mark = draw.some(marks) ?? '';
    return draw.once(25) ? mark.repeat(draw.below(200)) : mark;
  });
  return parts.join('');
}
