import { describe, expect, test } from 'vitest';
import { readContainer, spliceContainer } from '../../nodes/formats/container.ts';
import { writeExif } from '../../nodes/formats/exif.ts';
import type { ImageFormat } from '../../nodes/kit/values.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { embedMetadata } from '../../nodes/metadata/embed.ts';
import { type Parameters, renderParameters } from '../../nodes/metadata/infotext.ts';
import { makeImage } from '../formats/samples.ts';

const parameters: Parameters = {
  positive: 'a heron 中',
  negative: 'blur',
  details: [
    { key: 'Steps', value: '5' },
    { key: 'Version', value: 'ComfyUI' },
  ],
  hashes: new Map([['model', '1a1a1a1a1a']]),
};
const text = renderParameters(parameters);
const written = { parameters, prompt: '{"1":{}}', workflow: '{"nodes":[]}', record: '{"version":1}' };
const encode = (value: string): Uint8Array => new TextEncoder().encode(value);
const comment = (userComment: string): Uint8Array =>
  writeExif({ userComment: { text: userComment, encoding: 'unicode' }, ascii: new Map() });

describe('readCarried', () => {
  test.each<ImageFormat>(['png', 'jpeg', 'webp', 'avif'])('finds what was embedded: %s', async (format) => {
    const { bytes } = embedMetadata(await makeImage(format), { ...written, maxExifBytes: 65_535 }, () => {});
    expect(readCarried(readContainer(bytes))).toEqual({
      parameters: text,
      prompt: written.prompt,
      workflow: written.workflow,
      record: written.record,
    });
  });

  test('finds the comment of the last stage', async () => {
    const long = { ...written, parameters: { ...parameters, positive: '中'.repeat(4000) } };
    // Its own EXIF leaves no room for settings.
    const exif = writeExif({ ascii: new Map([[0x13b, 'a'.repeat(3_850)]]), width: 13, height: 9 });
    const crowded = spliceContainer(await makeImage('jpeg'), { exif });
    const { bytes, text: cut, stage } = embedMetadata(crowded, { ...long, maxExifBytes: 4096 }, () => {});
    expect(stage).toBe('com-marker');
    expect(readCarried(readContainer(bytes))).toEqual({
      parameters: cut,
      // Compressed, in segments of their own.
      prompt: written.prompt,
      workflow: written.workflow,
    });
  });

  test.each(['png', 'jpeg', 'webp', 'avif'] as const)('nothing in a bare picture: %s', async (format) =>
    expect(readCarried(readContainer(await makeImage(format)))).toEqual({}),
  );

  test('the last of several text chunks counts, whatever the case of its keyword', async () => {
    const bytes = spliceContainer(await makeImage('png'), {
      texts: new Map([
        ['Parameters', 'old\nSteps: 1'],
        ['parameters', 'new\nSteps: 2'],
      ]),
    });
    expect(readCarried(readContainer(bytes)).parameters).toBe('new\nSteps: 2');
  });

  test("a phone's or camera's comment is not taken for a prompt, and hides no comment of ours", async () => {
    const picture = await makeImage('jpeg');
    for (const said of ['Screenshot', '']) {
      const phone = spliceContainer(picture, { exif: comment(said) });
      expect(readCarried(readContainer(phone))).toEqual({});
      const both = spliceContainer(phone, { comment: encode(text) });
      expect(readCarried(readContainer(both))).toEqual({ parameters: text });
    }
  });

  test('a text of ours without known steps is one of ours', async () => {
    const bytes = spliceContainer(await makeImage('jpeg'), {
      exif: comment('a\nNegative prompt: b\nVersion: ComfyUI'),
    });
    expect(readCarried(readContainer(bytes)).parameters).toBe('a\nNegative prompt: b\nVersion: ComfyUI');
  });

  test('damaged blocks count as absent', async () => {
    const bytes = spliceContainer(await makeImage('webp'), {
      exif: encode('II*\0not a directory'),
      xmp: '<x:xmpmeta',
    });
    expect(readCarried(readContainer(bytes))).toEqual({});
  });
});
