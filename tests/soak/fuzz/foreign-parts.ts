import { constants, crc32, deflateRawSync, deflateSync } from 'node:zlib';
import type { Draw } from '../draw.ts';
import type { PictureKind } from './kinds.ts';
import { drawText, drawXmp } from './texts.ts';

/** A chunk, segment or box that no sane writer makes, whole as it stands in a file. */
export function drawPart(kind: PictureKind, draw: Draw, packet: string): Uint8Array {
  return PARTS[kind](draw, packet);
}

const PARTS: Readonly<Record<PictureKind, (draw: Draw, packet: string) => Uint8Array>> = {
  png: drawChunk,
  jpeg: drawSegment,
  webp: drawRiffChunk,
  avif: drawBox,
};

const KEYWORDS = [
  'parameters',
  'prompt',
  'workflow',
  'lineage',
  'XML:com.adobe.xmp',
  'Comment',
  '',
  'x',
] as const;

function join(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function u16(value: number): Uint8Array {
  return Uint8Array.of((value >> 8) & 0xff, value & 0xff);
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = join(type, data);
  return join(u32(data.length), body, u32(crc32(body)));
}

/**
 * A zlib stream that inflates to so many MiB of zeros, a thousandth of that itself: one packed MiB again and again, then
 * an empty last block and the Adler-32 of zeros. Making it takes no memory that would count against a reader.
 */
function bomb(mebibytes: number): Uint8Array {
  const length = mebibytes * 1024 * 1024;
  const last = Uint8Array.of(3, 0);
  const check = u32(((length % 65_521) << 16) | 1);
  return join('\x78\x9c', ...new Array<Uint8Array>(mebibytes).fill(MEBIBYTE), last, check);
}

const MEBIBYTE = deflateRawSync(new Uint8Array(1024 * 1024), { finishFlush: constants.Z_FULL_FLUSH });

function drawZlib(draw: Draw, packet: string): Uint8Array {
  if (draw.once(400)) return bomb(draw.pick([30, 80]));
  if (draw.once(20)) return bomb(1);
  const text = draw.once(3) ? drawXmp(draw, packet) : drawText(draw);
  const packed = deflateSync(Buffer.from(text));
  return draw.once(3) ? packed.subarray(0, draw.below(packed.length)) : packed;
}

function drawChunk(draw: Draw, packet: string): Uint8Array {
  const keyword = draw.pick(KEYWORDS);
  const text = draw.once(4) ? drawXmp(draw, packet) : drawText(draw);
  const international = (isPacked: boolean, body: Uint8Array): Uint8Array =>
    chunk('iTXt', join(keyword, Uint8Array.of(0, isPacked ? 1 : 0, 0, 0, 0), body));
  switch (draw.below(9)) {
    case 0:
      return chunk('tEXt', join(keyword, '\0', text));
    case 1:
      return international(false, Buffer.from(text));
    case 2:
      return international(true, drawZlib(draw, packet));
    case 3:
      return chunk('zTXt', join(keyword, '\0\0', drawZlib(draw, packet)));
    case 4:
      return chunk('eXIf', drawTiff(draw));
    case 5:
      return chunk('caBX', drawBox(draw, packet));
    case 6:
      return chunk(
        draw.pick(['acTL', 'fcTL', 'IHDR', 'IDAT', 'IEND', 'iCCP', 'tRNS']),
        draw.bytes(draw.below(30)),
      );
    case 7:
      return join(...new Array<Uint8Array>(draw.below(1_200)).fill(chunk('tEXt', join('k', '\0v'))));
    default:
      return chunk(draw.pick(['tEXt', 'iTXt', 'zTXt']), draw.bytes(draw.below(100)));
  }
}

function segment(marker: number, ...data: readonly (string | Uint8Array)[]): Uint8Array {
  const body = join(...data).subarray(0, 65_533);
  return join(Uint8Array.of(0xff, marker), u16(body.length + 2), body);
}

function drawSegment(draw: Draw, packet: string): Uint8Array {
  switch (draw.below(9)) {
    case 0:
      return segment(0xfe, Buffer.from(drawText(draw)));
    case 1:
      return segment(0xe1, 'Exif\0\0', drawTiff(draw));
    case 2:
      return segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', Buffer.from(drawXmp(draw, packet)));
    case 3:
      return segment(0xe1, 'http://ns.adobe.com/xmp/extension/\0', draw.bytes(draw.below(60)));
    case 4:
      return segment(0xe2, 'MPF\0', drawTiff(draw));
    case 5:
      return segment(0xeb, 'JP', draw.bytes(6), drawBox(draw, packet));
    case 6:
      return segment(0xe2, 'ICC_PROFILE\0', draw.bytes(draw.below(40)));
    case 7:
      return join(...new Array<Uint8Array>(draw.below(3_000)).fill(Uint8Array.of(0xff, 0xfe, 0, 2)));
    default:
      return join(Uint8Array.of(0xff, draw.below(256)), draw.bytes(draw.below(20)));
  }
}

function drawRiffChunk(draw: Draw, packet: string): Uint8Array {
  const type = draw.pick([
    'EXIF',
    'XMP ',
    'C2PA',
    'VP8X',
    'ICCP',
    'ANIM',
    'ANMF',
    'ALPH',
    'VP8 ',
    'VP8L',
    'junk',
  ]);
  const data =
    type === 'EXIF'
      ? join(draw.once(2) ? 'Exif\0\0' : '', drawTiff(draw))
      : type === 'XMP '
        ? Buffer.from(drawXmp(draw, packet))
        : draw.bytes(draw.below(40));
  return join(
    type,
    Buffer.from(u32(data.length)).reverse(),
    data,
    draw.once(5) ? '' : '\0'.repeat(data.length % 2),
  );
}

const BOXES = [
  ...['ftyp', 'meta', 'hdlr', 'iinf', 'infe', 'iloc', 'iref', 'iprp', 'ipco', 'ipma', 'mdat', 'moov', 'trak'],
  ...['mdia', 'minf', 'stbl', 'stco', 'co64', 'uuid', 'jumb', 'jumd', 'free', 'idat', 'colr', 'cdsc', 'pitm'],
] as const;

function box(type: string, content: Uint8Array): Uint8Array {
  return join(u32(content.length + 8), type, content);
}

/** Random boxes in boxes; seldom many hundred levels. */
function drawBox(draw: Draw, packet: string): Uint8Array {
  let content = draw.once(4) ? Buffer.from(drawXmp(draw, packet)) : draw.bytes(draw.below(60));
  const levels = draw.once(40) ? 1_000 : draw.below(6);
  for (let level = 0; level < levels; level++) {
    const type = levels > 6 ? 'meta' : (draw.some(BOXES) ?? 'free');
    content = box(type, draw.once(2) ? join('\0\0\0\0', content) : content);
  }
  return box(draw.some(BOXES) ?? 'free', content);
}

const TAGS = [
  0x010d, 0x010e, 0x010f, 0x0110, 0x011d, 0x013c, 0x8769, 0x8825, 0xa005, 0x9286, 0x927c, 0xb002,
] as const;

/** A TIFF block whose directories may lead to each other and whose counts may lie. */
function drawTiff(draw: Draw): Uint8Array {
  const count = draw.once(30) ? 500 : draw.below(8);
  const values = Buffer.from(
    draw.once(2)
      ? `UNICODE\0${drawText(draw)}`
      : `${draw.pick(['prompt:', 'workflow:', ''])}${drawText(draw)}`,
    draw.once(3) ? 'utf16le' : 'utf8',
  );
  const valuesAt = 8 + 2 + count * 12 + 4;
  const entries = Array.from({ length: count }, () => {
    const size = draw.pick([0, 1, 4, 5, values.length, 0xffff, 0x7fff_ffff, 0xffff_ffff, 0x2000_0000]);
    const offset = draw.pick([0, 4, 8, 10, valuesAt, valuesAt, valuesAt + 1, 0x7fff_ffff, 0xffff_ffff]);
    return join(
      u16(draw.pick(TAGS)),
      u16(draw.once(3) ? draw.below(15) : draw.pick([2, 7])),
      u32(size),
      u32(offset),
    );
  });
  const next = draw.pick([0, 8, 8, valuesAt, 0xffff_ffff]);
  const start = draw.pick([8, 8, 8, 8, 0, 4, 0xffff_ffff]);
  return join('MM\0*', u32(start), u16(draw.once(10) ? 0xffff : count), ...entries, u32(next), values);
}
