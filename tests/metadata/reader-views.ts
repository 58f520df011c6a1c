import type { PngTextView, ReaderView } from '../../nodes/metadata/readers/reader.ts';

/** Views made by hand, so that the readers are tested without any of our writers. */
const EMPTY: ReaderView = {
  format: 'png',
  hasAlpha: false,
  pngTexts: [],
  hasExif: false,
  bigEndian: true,
  ifd0Ascii: [],
  comments: [],
};

export function png(
  texts: Readonly<Record<string, string>>,
  chunk: PngTextView['chunk'] = 'iTXt',
): ReaderView {
  const pngTexts = Object.entries(texts).map(([keyword, text]) => ({
    keyword,
    text,
    chunk,
    compressed: chunk === 'zTXt',
  }));
  return { ...EMPTY, pngTexts };
}

/** A PNG with A1111's text, plain. */
export function infotext(text: string): ReaderView {
  return png({ parameters: text });
}

export function jpeg(members: Partial<ReaderView>): ReaderView {
  return { ...EMPTY, format: 'jpeg', hasExif: members.userComment !== undefined, ...members };
}

/** An ASCII tag of IFD0. */
export function tag(number: number, text: string): ReaderView['ifd0Ascii'][number] {
  return { tag: number, bytes: Buffer.from(`${text}\0`, 'utf8') };
}

export type CommentCoding = 'be' | 'le' | 'be+bom' | 'le+bom' | 'ascii' | 'utf8' | 'raw' | 'zeros';

/** A UserComment as the EXIF standard and the programs of the field write it. */
export function userComment(text: string, coding: CommentCoding): Uint8Array {
  const le = (value: string) => Buffer.from(value, 'utf16le');
  const be = (value: string) => le(value).swap16();
  switch (coding) {
    case 'be':
      return Buffer.concat([Buffer.from('UNICODE\0', 'latin1'), be(text)]);
    case 'le':
      return Buffer.concat([Buffer.from('UNICODE\0', 'latin1'), le(text)]);
    case 'be+bom':
      return Buffer.concat([Buffer.from('UNICODE\0', 'latin1'), be(`\ufeff${text}`)]);
    case 'le+bom':
      return Buffer.concat([Buffer.from('UNICODE\0', 'latin1'), le(`\ufeff${text}`)]);
    case 'ascii':
      return Buffer.from(`ASCII\0\0\0${text}`, 'latin1');
    case 'utf8':
      return Buffer.from(`UTF8\0\0\0\0${text}`, 'utf8');
    case 'raw':
      return Buffer.from(text, 'utf8');
    case 'zeros':
      return Buffer.concat([Buffer.alloc(8), Buffer.from(text, 'utf8')]);
  }
}

/** Reference text: two prompts and the keys that every reader knows. */
export const PLAIN = [
  'a fox in the snow',
  'Negative prompt: blurry',
  'Steps: 30, Sampler: Euler a, Schedule type: Karras, CFG scale: 7, Seed: 5, Size: 832x1216, Model hash: abcdef1234, Model: foo, Clip skip: 2, Version: ComfyUI',
].join('\n');
