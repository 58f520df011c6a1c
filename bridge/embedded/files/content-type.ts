/**
 * What a file is, by its content. Names lie: a page that is called `x.png` must not open as a page, and what opens in
 * a browser is decided by these alone.
 */

/** Bytes from the start that `sniffMediaType` wants to see. */
export const SNIFF_BYTES = 64;

/** Signatures at fixed offsets, as Latin-1. A type may stand in several rows. */
const SIGNATURES: readonly (readonly [offset: number, signature: string, type: string])[] = [
  [0, '\x89PNG\r\n\x1a\n', 'image/png'],
  [0, '\xff\xd8\xff', 'image/jpeg'],
  [0, 'GIF87a', 'image/gif'],
  [0, 'GIF89a', 'image/gif'],
  [0, 'II*\0', 'image/tiff'],
  [0, 'MM\0*', 'image/tiff'],
  [0, '\x1a\x45\xdf\xa3', 'video/webm'],
  [0, 'fLaC', 'audio/flac'],
  [0, 'ID3', 'audio/mpeg'],
];

/** The four letters after `RIFF` and a size. */
const RIFF_FORMS: Readonly<Record<string, string>> = {
  WEBP: 'image/webp',
  WAVE: 'audio/wav',
  'AVI ': 'video/x-msvideo',
};

/** Major brands of ISO base media files that are no plain video. @see https://mp4ra.org/registered-types/brands */
const BRANDS: Readonly<Record<string, string>> = {
  avif: 'image/avif',
  avis: 'image/avif',
  'qt  ': 'video/quicktime',
  'M4A ': 'audio/mp4',
  'M4B ': 'audio/mp4',
};
const VIDEO_BRANDS = /^(?:iso[0-9a-z]|mp4[12]|avc1|M4V |dash|msdh|mmp4|f4v )$/;

/**
 * The media type of a picture, video or sound, by the signature it starts with; undefined for everything else,
 * among it all that a browser might run (HTML, SVG, XML, PDF). What follows a signature is not looked at: told the
 * type and not to guess, a browser does not either.
 *
 * @param head the first SNIFF_BYTES of the file, or all of a shorter one.
 */
export function sniffMediaType(head: Uint8Array): string | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, SNIFF_BYTES)).toString(
    'latin1',
  );
  for (const [offset, signature, type] of SIGNATURES) {
    if (text.startsWith(signature, offset)) return type;
  }
  if (text.startsWith('RIFF'))
    return Object.entries(RIFF_FORMS).find(([form]) => text.startsWith(form, 8))?.[1];
  if (text.startsWith('ftyp', 4)) {
    const brand = text.slice(8, 12);
    if (Object.hasOwn(BRANDS, brand)) return BRANDS[brand];
    return VIDEO_BRANDS.test(brand) ? 'video/mp4' : undefined;
  }
  // A header of 40 bytes or more behind the 14 of the file: "BM" alone starts many a text.
  if (/^BM.{4}\0{4}.{4}[\x28\x6c\x7c]\0\0\0/s.test(text)) return 'image/bmp';
  if (text.startsWith('OggS')) return text.includes('theora') ? 'video/ogg' : 'audio/ogg';
  // An MPEG audio frame without tags: 11 bits of sync, layer III, a bit rate and a sampling rate that exist.
  return /^\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef][^\x0c-\x0f]/.test(text) ? 'audio/mpeg' : undefined;
}

/**
 * A `Content-Disposition` for a file name of any characters. ComfyUI's clients look for `filename="…"`, which is
 * therefore always there, in ASCII; a name of more than that follows as RFC 6266 has it.
 */
export function contentDisposition(kind: 'inline' | 'attachment', name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const plain = `${kind}; filename="${ascii}"`;
  if (ascii === name) return plain;
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${plain}; filename*=UTF-8''${encoded}`;
}
