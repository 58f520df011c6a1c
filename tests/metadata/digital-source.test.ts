import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readContainer, spliceContainer } from '../../nodes/formats/container.ts';
import { readXmpProperty } from '../../nodes/formats/xmp.ts';
import type { Host } from '../../nodes/kit/host.ts';
import { IMAGE_FORMATS, type ImageFormat } from '../../nodes/kit/values.ts';
import { embedMetadata } from '../../nodes/metadata/embed.ts';
import saveImage from '../../nodes/metadata/save-image.node.ts';
import { putImage, withSegment } from '../bridge/cli/pictures.ts';
import { EXAMPLES, newFolder, tag } from '../bridge/cli/run.ts';
import { app11, MANIFEST_STORE } from '../formats/manifest-store.ts';
import { makeImage, withFile } from '../formats/samples.ts';
import { exiftool, findingsOf } from '../peers.ts';
import { chain, kSampler, node, type RawGraph } from './graphs.ts';
import { literalModels } from './model-store.ts';

/** As IPTC publishes it. */
const TRAINED = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';
const PROPERTY = { namespace: 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/', name: 'DigitalSourceType' };

type Inputs = Parameters<typeof saveImage.run>[0];

async function save(
  inputs: Partial<Inputs>,
  prompt: RawGraph = chain(kSampler('k', 9)),
  source?: Uint8Array,
): Promise<{ bytes: Uint8Array; warnings: readonly { code: string; message: string }[] }> {
  let bytes = new Uint8Array();
  const host: Host = {
    prompt,
    extraPnginfo: {},
    nodeId: 'save',
    signal: new AbortController().signal,
    models: literalModels([]),
    now: new Date(2026, 0, 9),
    log: () => {},
    async writeOutput(request) {
      bytes = Uint8Array.from(request.bytes);
      return 'a.png';
    },
    ...(source && { readInput: async () => source }),
  };
  const images = [{ width: 6, height: 4, channels: 3 as const, data: new Float32Array(72).fill(0.5) }];
  const required = { images, filename_prefix: 'a', file_format: 'png', sampler_selection_method: 'range' };
  const { ui } = await saveImage.run({ ...required, ...inputs } as Inputs, host);
  return { bytes, warnings: (ui?.['warnings'] ?? []) as { code: string; message: string }[] };
}

function sourceTypeOf(bytes: Uint8Array): string | undefined {
  const { xmp } = readContainer(bytes);
  return xmp === undefined ? undefined : readXmpProperty(xmp, PROPERTY);
}

const passing: RawGraph = {
  load: node('LoadImage', { image: 'a.png' }),
  save: node('SaveImage', { images: ['load', 0], filename_prefix: 'x' }),
};

describe.each(IMAGE_FORMATS)('what a sampler made, as %s', (file_format) => {
  test('says so, unless that is switched off', async () => {
    expect(sourceTypeOf((await save({ file_format })).bytes)).toBe(TRAINED);
    expect(sourceTypeOf((await save({ file_format, digital_source_type: false })).bytes)).toBeUndefined();
  });

  test.skipIf(!exiftool.available)('exiftool reads it and finds nothing to say', async () => {
    const { bytes } = await save({ file_format });
    await withFile(bytes, file_format === 'jpeg' ? 'jpg' : file_format, (file) => {
      expect(exiftool.run(['-s3', '-n', '-XMP-iptcExt:DigitalSourceType', file]).trim()).toBe(TRAINED);
      expect(findingsOf(file)).toBe('');
    });
  });

  test('what no sampler made says nothing, but keeps what its source says', async () => {
    expect(sourceTypeOf((await save({ file_format }, passing)).bytes)).toBeUndefined();
    const { bytes: source } = await save({ file_format });
    expect(sourceTypeOf((await save({ file_format }, passing, source)).bytes)).toBe(TRAINED);
  });
});

describe('a packet that is there already', () => {
  const composite = 'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia';
  const packet = (inside: string): string =>
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
    `<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="${PROPERTY.namespace}" xmlns:dc="http://purl.org/dc/elements/1.1/">` +
    `${inside}</rdf:Description></rdf:RDF></x:xmpmeta>`;
  const request = {
    parameters: { positive: 'a', negative: '', details: [], hashes: new Map() },
    record: '{}',
    digitalSource: TRAINED,
    maxExifBytes: 61_440,
  };
  const embed = async (format: ImageFormat, xmp: string) =>
    embedMetadata(spliceContainer(await makeImage(format), { xmp }), request, () => {});

  test.each(IMAGE_FORMATS)('keeps its own word and its other properties in %s', async (format) => {
    const theirs = await embed(
      format,
      packet(`<Iptc4xmpExt:DigitalSourceType>${composite}</Iptc4xmpExt:DigitalSourceType>`),
    );
    expect(sourceTypeOf(theirs.bytes)).toBe(composite);
    const silent = await embed(format, packet('<dc:source>a drawer</dc:source>'));
    expect(sourceTypeOf(silent.bytes)).toBe(TRAINED);
    expect(readContainer(silent.bytes).xmp).toContain('a drawer');
  });

  test('one that fills the segment of a JPEG stays as it is, and that is told', async () => {
    const full = packet(`<dc:source>${'x'.repeat(65_050)}</dc:source>`);
    const { bytes, dropped } = await embed('jpeg', full);
    expect(sourceTypeOf(bytes)).toBeUndefined();
    expect(readContainer(bytes).xmp).toBe(full);
    expect(dropped.map(({ what }) => what)).toContain('digital source type');
  });
});

test('a small budget of a JPEG leaves the record out, but not how the picture came to be', async () => {
  const long = chain(kSampler('k', 9));
  const prompt = {
    ...long,
    pos: node('CLIPTextEncode', { text: 'heron '.repeat(3_000), clip: ['ckpt', 1] }),
  };
  const { bytes, warnings } = await save({ file_format: 'jpeg', max_jpeg_exif_kb: 4 }, prompt);
  expect(warnings.map(({ message }) => message).join('\n')).toContain('lineage:record');
  expect(sourceTypeOf(bytes)).toBe(TRAINED);
});

test('a picture whose source is signed is saved without the credential, and that is told', async () => {
  const source = withSegment(await makeImage('jpeg'), {
    marker: 0xeb,
    data: Buffer.from(app11(MANIFEST_STORE)),
  });
  const told = (await save({}, passing, source)).warnings.map(({ code, message }) => `${code} ${message}`);
  expect(told).toContain('embed/dropped C2PA manifest: the picture was encoded anew');
});

test('tag says so too, unless told not to', async () => {
  const folder = newFolder();
  await putImage(folder, 'plain.png', 'png');
  const prompt = join(EXAMPLES, 'sdxl-base-refiner.json');
  await tag(folder, 'plain.png', '--prompt', prompt, '--out', 'a.png');
  await tag(folder, 'plain.png', '--prompt', prompt, '--out', 'b.png', '--no-digital-source');
  const said = ['a.png', 'b.png'].map((name) => sourceTypeOf(readFileSync(join(folder, name))));
  expect(said).toEqual([TRAINED, undefined]);
});
