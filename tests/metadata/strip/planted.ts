import { deflateSync } from 'node:zlib';
import piexif from 'piexifjs';
import { spliceContainer } from '../../../nodes/formats/container.ts';
import type { ImageFormat } from '../../../nodes/kit/values.ts';
import { type Chunk, textChunk, withChunks, withSegment } from '../../bridge/cli/pictures.ts';
import { app11, MANIFEST_STORE, uuidBox, webpChunk } from '../../formats/manifest-store.ts';
import { makeImage } from '../../formats/samples.ts';

/** Words that stand nowhere but where they were planted; each place has its own. */
function markOf(place: string): string {
  return `PLANTED-${place}-7f3a9c`;
}

export const INFOTEXT = [
  'a heron in the reeds, (mist:1.2)',
  'Negative prompt: blur',
  'Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 123456789, Size: 64x48, Model: marsh, User: PLANTED-user-7f3a9c, Version: ComfyUI',
].join('\n');

const KEY = 'sk-PLANTEDkey7f3a9cPLANTEDkey7f3a9c';
const FOLDER = '/home/PLANTED-anna-7f3a9c/ComfyUI/input/';
const PIXELS = Buffer.from('PLANTED-picture-7f3a9c '.repeat(30)).toString('base64');

/** What archive must take out, as it stands in the graph. */
export const SECRETS = [KEY, FOLDER, PIXELS.slice(0, 60), 'C:\\Users\\PLANTED-ben-7f3a9c\\'];

export const GRAPH = JSON.stringify({
  1: { class_type: 'LoadImage', inputs: { image: `${FOLDER}photo one.png` } },
  2: {
    class_type: 'OpenAIChat',
    inputs: { api_key: KEY, seed: 12345678901234567890n.toString(), max_tokens: 20 },
  },
  3: { class_type: 'LoadImageBase64', inputs: { image: PIXELS } },
  4: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'SDXL\\marsh.safetensors' } },
});
export const WORKFLOW = JSON.stringify({
  nodes: [
    { id: 9, type: 'Note', widgets_values: [`ask ${markOf('note')}, key ${KEY}`] },
    { id: 1, type: 'LoadImage', widgets_values: ['C:\\Users\\PLANTED-ben-7f3a9c\\photo.png', 'image'] },
  ],
  links: [],
});
const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
  `<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:source>${markOf('xmp')} ${FOLDER}a.png</dc:source>` +
  '</rdf:Description></rdf:RDF></x:xmpmeta>';

/** A JPEG whose bytes are found again wherever they were hidden. */
async function hiddenPicture(place: string): Promise<Buffer> {
  const jpeg = await makeImage('jpeg', { width: 16, height: 16 });
  return withSegment(jpeg, { marker: 0xfe, data: Buffer.from(markOf(place)) });
}

/** EXIF as a camera writes it, by piexifjs: turned to the right, with a thumbnail and a place. */
async function plantedExif(place: string): Promise<Buffer> {
  const thumbnail = await hiddenPicture(`${place}-thumbnail`);
  const block = piexif.dump({
    '0th': {
      [piexif.ImageIFD.Make]: markOf(`${place}-make`),
      [piexif.ImageIFD.Orientation]: 6,
      [piexif.ImageIFD.ImageDescription]: `prompt:${GRAPH}`,
    },
    Exif: { [piexif.ExifIFD.CameraOwnerName]: markOf(`${place}-owner`) },
    GPS: { [piexif.GPSIFD.GPSProcessingMethod]: markOf(`${place}-gps`) },
    '1st': { [piexif.ImageIFD.Compression]: 6 },
    thumbnail: thumbnail.toString('latin1'),
  });
  return Buffer.from(block, 'latin1').subarray(6);
}

function compressed(keyword: string, text: string): Chunk[] {
  const zlib = deflateSync(Buffer.from(text));
  return [
    { type: 'zTXt', data: Buffer.concat([Buffer.from(`${keyword} z\0\0`), zlib]) },
    { type: 'iTXt', data: Buffer.concat([Buffer.from(`${keyword} i\0\x01\0en\0${keyword}\0`), zlib]) },
  ];
}

async function plantedPng(): Promise<Buffer> {
  const chunks: Chunk[] = [
    textChunk('parameters', INFOTEXT),
    textChunk('prompt', GRAPH),
    textChunk('workflow', WORKFLOW),
    ...compressed('Comment', `${markOf('compressed')} ${FOLDER}x.png ${'more words '.repeat(20)}`),
    textChunk('Author', markOf('author')),
    { type: 'iTXt', data: Buffer.from(`XML:com.adobe.xmp\0\0\0\0\0${XMP}`) },
    { type: 'eXIf', data: await plantedExif('exif') },
    { type: 'caBX', data: Buffer.from(MANIFEST_STORE) },
    { type: 'prVt', data: Buffer.from(markOf('unknown chunk')) },
    { type: 'tIME', data: Buffer.from([7, 234, 1, 2, 3, 4, 5]) },
  ];
  return Buffer.concat([withChunks(await makeImage('png'), chunks), Buffer.from(markOf('behind'))]);
}

async function plantedJpeg(): Promise<Buffer> {
  let file: Uint8Array = await makeImage('jpeg', { width: 48, height: 40 });
  const exif = await plantedExif('exif');
  const jfif = Buffer.concat([
    Buffer.from('JFIF\0\x01\x02\x01\0\x48\0\x48\x06\x03', 'latin1'),
    Buffer.from(markOf('jfif').padEnd(54, '.')),
  ]);
  const second = await hiddenPicture('second');
  for (const [marker, data] of [
    [0xfe, Buffer.from(INFOTEXT)],
    [0xed, Buffer.from(`Photoshop 3.0\0${markOf('photoshop')}`)],
    [0xeb, Buffer.from(app11(MANIFEST_STORE))],
    [0xe1, Buffer.from(`http://ns.adobe.com/xmp/extension/\0${markOf('extended')}`)],
    [0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${XMP}`)],
    [0xe1, Buffer.concat([Buffer.from('Exif\0\0'), await plantedExif('other exif')])],
    [0xe1, Buffer.concat([Buffer.from('Exif\0\0'), exif])],
    [0xe0, jfif],
  ] as const)
    file = withSegment(file, { marker, data });
  return Buffer.concat([file, second, Buffer.from(markOf('behind'))]);
}

async function plantedWebp(): Promise<Buffer> {
  const plain = await makeImage('webp', { lossless: true });
  const chunks = [webpChunk('C2PA', MANIFEST_STORE), webpChunk('prVt', Buffer.from(markOf('unknown chunk')))];
  const body = Buffer.concat([
    spliceContainer(plain, { exif: await plantedExif('exif'), xmp: XMP }),
    ...chunks,
  ]);
  body.writeUInt32LE(body.length - 8, 4);
  return Buffer.concat([body, Buffer.from(markOf('behind'))]);
}

async function plantedAvif(): Promise<Buffer> {
  const plain = await makeImage('avif');
  const signed = Buffer.concat([plain, uuidBox(MANIFEST_STORE)]);
  const free = Buffer.alloc(8);
  const text = Buffer.from(markOf('free box'));
  free.writeUInt32BE(8 + text.length);
  free.write('free', 4);
  const spliced = spliceContainer(Buffer.concat([signed, free, text]), {
    exif: await plantedExif('exif'),
    xmp: XMP,
  });
  return Buffer.concat([spliced, Buffer.from('behind '), Buffer.from(markOf('behind'))]);
}

/** A picture with something planted in every place that its format has. */
export const PLANTED: Readonly<Record<ImageFormat, () => Promise<Buffer>>> = {
  png: plantedPng,
  jpeg: plantedJpeg,
  webp: plantedWebp,
  avif: plantedAvif,
};
