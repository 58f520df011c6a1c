import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import piexif from 'piexifjs';
import type { ImageFormat } from '../../../nodes/kit/values.ts';
import { makeImage } from '../../formats/samples.ts';
import { EXAMPLES } from './run.ts';

/** A prompt graph of the examples, free to be changed. */
export type Graph = Record<string, { class_type: string; inputs: Record<string, unknown> }>;

export function exampleGraph(name = 'sdxl-base-refiner'): Graph {
  return (JSON.parse(readFileSync(join(EXAMPLES, `${name}.json`), 'utf8')) as { prompt: Graph }).prompt;
}

/** Writes a picture into a folder and gives its bytes. */
export async function putImage(folder: string, name: string, format: ImageFormat): Promise<Uint8Array> {
  const bytes = await makeImage(format, { width: 24, height: 16, lossless: true });
  writeFileSync(join(folder, name), bytes);
  return bytes;
}

export function putJson(folder: string, name: string, value: unknown): string {
  writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  return name;
}

export type Chunk = { readonly type: string; readonly data: Buffer };

/** length (u32 BE) · type (4 ASCII) · data · CRC-32 over type and data. @see https://www.w3.org/TR/png-3/#5Chunk-layout */
export function pngChunks(bytes: Uint8Array): Chunk[] {
  const file = Buffer.from(bytes);
  const chunks: Chunk[] = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const body = file.subarray(at + 4, at + 8 + length);
    if (crc32(body) !== file.readUInt32BE(at + 8 + length)) throw new Error(`bad CRC at ${at}`);
    chunks.push({ type: body.toString('latin1', 0, 4), data: body.subarray(4) });
    at += 12 + length;
  }
  return chunks;
}

function joinPng(chunks: readonly Chunk[]): Buffer {
  const parts = chunks.map(({ type, data }) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  });
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...parts]);
}

/** Puts chunks right behind IHDR. */
export function withChunks(bytes: Uint8Array, added: readonly Chunk[]): Buffer {
  const [header, ...rest] = pngChunks(bytes);
  return joinPng([header!, ...added, ...rest]);
}

export function textChunk(keyword: string, text: string): Chunk {
  return { type: 'tEXt', data: Buffer.from(`${keyword}\0${text}`, 'latin1') };
}

/** keyword · NUL · not compressed · method 0 · no language · no translation · UTF-8 */
export function internationalChunk(keyword: string, text: string): Chunk {
  return { type: 'iTXt', data: Buffer.concat([Buffer.from(`${keyword}\0\0\0\0\0`), Buffer.from(text)]) };
}

export function iccChunk(profile: Uint8Array): Chunk {
  return { type: 'iCCP', data: Buffer.concat([Buffer.from('test\0\0'), deflateSync(profile)]) };
}

/** All of a chunk type's data, in one piece. */
export function dataOf(bytes: Uint8Array, type: string): Buffer {
  return Buffer.concat(pngChunks(bytes).flatMap((chunk) => (chunk.type === type ? [chunk.data] : [])));
}

/** The texts of a keyword in tEXt and uncompressed iTXt. */
export function pngTexts(bytes: Uint8Array, keyword: string): string[] {
  return pngChunks(bytes).flatMap(({ type, data }) => {
    if (!data.toString('latin1').startsWith(`${keyword}\0`)) return [];
    if (type === 'tEXt') return [data.toString('latin1', keyword.length + 1)];
    return type === 'iTXt' ? [data.toString('utf8', keyword.length + 5)] : [];
  });
}

/** EXIF as a camera writes it, by piexifjs: a TIFF block without `Exif\0\0`. */
export function cameraExif(): Buffer {
  const block = piexif.dump({
    '0th': { [piexif.ImageIFD.Make]: 'Lumen', [piexif.ImageIFD.Orientation]: 1 },
    Exif: { [piexif.ExifIFD.ISOSpeedRatings]: 320 },
  });
  return Buffer.from(block, 'latin1').subarray(6);
}

export const XMP_PACKET =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
  '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:source>a drawer</dc:source>' +
  '</rdf:Description></rdf:RDF></x:xmpmeta>';

export type Segment = { readonly marker: number; readonly data: Buffer };

/** FF · marker · length (u16 BE, itself included) · data, up to the start of the scan; then the rest as it is. */
export function jpegParts(bytes: Uint8Array): { segments: Segment[]; scan: Buffer } {
  const file = Buffer.from(bytes);
  const segments: Segment[] = [];
  let at = 2;
  while (file[at + 1] !== 0xda) {
    const length = file.readUInt16BE(at + 2);
    segments.push({ marker: file[at + 1]!, data: file.subarray(at + 4, at + 2 + length) });
    at += 2 + length;
  }
  return { segments, scan: file.subarray(at) };
}

/** Puts a segment right behind the start of image. */
export function withSegment(bytes: Uint8Array, { marker, data }: Segment): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([bytes.subarray(0, 2), head, data, bytes.subarray(2)]);
}
