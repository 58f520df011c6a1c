import { describe, expect, it } from 'vitest';
import { comfyui } from '../../nodes/metadata/readers/comfyui.ts';
import { imageMetahub } from '../../nodes/metadata/readers/image-metahub.ts';
import { sdMetadata } from '../../nodes/metadata/readers/sd-metadata.ts';
import { viewExif } from '../../nodes/metadata/readers/view.ts';
import { type CommentCoding, infotext, jpeg, PLAIN, png, tag, userComment } from './reader-views.ts';

const GRAPH = '{"3":{"class_type":"KSampler","inputs":{}}}';
const WORKFLOW = '{"nodes":[]}';

describe('comfyui front end', () => {
  it('reads workflow and prompt from tEXt and uncompressed iTXt only', () => {
    const texts = { prompt: GRAPH, workflow: WORKFLOW };
    for (const chunk of ['tEXt', 'iTXt'] as const) {
      expect(comfyui.read(png(texts, chunk))).toMatchObject({
        ok: true,
        sees: { prompt: true, workflow: true },
      });
    }
    expect(comfyui.read(png(texts, 'zTXt')).ok).toBe(false);
  });

  it('wants JSON, and NaN is none', () => {
    expect(comfyui.read(png({ workflow: '{"a": NaN}' }))).toMatchObject({
      ok: false,
      problems: [{ why: expect.stringContaining('workflow') }],
    });
  });

  it('reads any ASCII tag of a WebP, split at the first colon', () => {
    const tags = [tag(0x010e, `prompt:${GRAPH}`), tag(0x010f, `workflow:${WORKFLOW}`)];
    expect(comfyui.read(jpeg({ format: 'webp', ifd0Ascii: tags })).sees).toMatchObject({
      prompt: true,
      workflow: true,
    });
    expect(comfyui.read(jpeg({ format: 'webp', ifd0Ascii: [tag(0x010e, 'prompt')] })).ok).toBe(false);
  });

  it('needs the major brand avif', () => {
    const ifd0Ascii = [tag(0x010f, `Workflow:${WORKFLOW}`)];
    expect(comfyui.read(jpeg({ format: 'avif', majorBrand: 'avif', ifd0Ascii })).sees.workflow).toBe(true);
    expect(comfyui.read(jpeg({ format: 'avif', majorBrand: 'mif1', ifd0Ascii })).ok).toBe(false);
    // The key's case counts in WebP.
    expect(comfyui.read(jpeg({ format: 'webp', ifd0Ascii })).ok).toBe(false);
  });

  it('does not open JPEG', () => {
    expect(
      comfyui.read(
        jpeg({ userComment: userComment(PLAIN, 'be'), ifd0Ascii: [tag(0x010f, `workflow:${WORKFLOW}`)] }),
      ).ok,
    ).toBe(false);
  });

  it('builds a graph from an A1111 text', () => {
    expect(comfyui.read(infotext(PLAIN))).toMatchObject({
      ok: true,
      sees: {
        positive: 'a fox in the snow',
        negative: 'blurry',
        steps: '30',
        cfg: '7',
        seed: '5',
        size: '832x1216',
        model: 'foo',
        scheduler: 'Normal',
      },
      problems: [{ what: 'Sampler', why: expect.stringContaining('euler_a') }],
    });
    const karras = PLAIN.replace('Euler a', 'DPM++ 2M Karras').replace('832x1216', '800x600');
    expect(comfyui.read(infotext(karras)).sees).toMatchObject({
      sampler: 'DPM++ 2M Karras',
      scheduler: 'Karras',
      size: '832x640',
    });
  });

  it('needs both lines of an A1111 text and takes the last ones', () => {
    expect(comfyui.read(infotext('a fox\nSteps: 30, Seed: 5')).ok).toBe(false);
    const text =
      'a\nSteps: of stone\nNegative prompt: n\nSteps: 30, Lora hashes: "x: 1, y: 2", Hashes: {"model": "a", "b": "c"}, Seed: 5';
    expect(comfyui.read(infotext(text)).sees).toMatchObject({
      positive: 'a\nSteps: of stone',
      steps: '30',
      seed: '5',
    });
  });

  it('decodes tEXt as UTF-8', () => {
    expect(comfyui.read(png({ parameters: PLAIN.replace('snow', 'café') }, 'tEXt')).sees.positive).toBe(
      'a fox in the caf\ufffd',
    );
  });
});

describe('sd-metadata', () => {
  it.each<[CommentCoding, boolean]>([
    ['be', true],
    ['le', true],
    ['be+bom', true],
    ['ascii', true],
    ['raw', true],
    ['le+bom', false],
  ])('reads a UserComment: %s', (coding, readable) => {
    const reading = sdMetadata.read(jpeg({ userComment: userComment(PLAIN, coding) }));
    expect(reading.ok && reading.sees.positive === 'a fox in the snow' && reading.sees.steps === '30').toBe(
      readable,
    );
  });

  it('follows the TIFF block where the first character gives nothing away', () => {
    const comment = userComment(PLAIN.replace('a fox', '狐'), 'be');
    expect(sdMetadata.read(jpeg({ userComment: comment })).sees.positive).toBe('狐 in the snow');
    expect(sdMetadata.read(jpeg({ userComment: comment, bigEndian: false })).sees.positive).not.toBe(
      '狐 in the snow',
    );
  });

  it('reads neither a JPEG comment nor AVIF', () => {
    expect(sdMetadata.read(jpeg({ comments: [Buffer.from(PLAIN)] })).ok).toBe(false);
    expect(sdMetadata.read(jpeg({ format: 'avif', userComment: userComment(PLAIN, 'be') })).ok).toBe(false);
  });

  it('prefers the graph to the parameters', () => {
    expect(sdMetadata.read(png({ parameters: PLAIN, prompt: GRAPH, workflow: WORKFLOW })).sees).toEqual({
      prompt: true,
      workflow: true,
      fromGraph: true,
    });
    expect(
      sdMetadata.read(
        jpeg({ userComment: userComment(PLAIN, 'be'), ifd0Ascii: [tag(0x010e, `prompt:${GRAPH}`)] }),
      ).sees.fromGraph,
    ).toBe(true);
  });

  it('lets the hash of a LoRA win over that of the model', () => {
    const text = PLAIN.replace('Version', 'Lora_0 Model hash: 2222222222, Version');
    expect(sdMetadata.read(infotext(text)).sees).toMatchObject({ model: 'foo', modelHash: '2222222222' });
  });

  it('skips a value that a comma ends without a key behind it', () => {
    const text = 'x\nNegative prompt: n\nSteps: 30, Model: a, b, Seed: 5';
    expect(sdMetadata.read(infotext(text)).sees).toMatchObject({ steps: '30', seed: '5' });
    expect(sdMetadata.read(infotext(text)).sees).not.toHaveProperty('model');
  });

  it('drops a value that stands before a key with an underscore', () => {
    const text = PLAIN.replace('Version', 'Lora_0 Model name: x, Version');
    expect(sdMetadata.read(infotext(text)).sees).toMatchObject({ model: 'foo' });
    expect(sdMetadata.read(infotext(text)).sees).not.toHaveProperty('clipSkip');
  });

  it('parses no settings of more than 10,000 characters', () => {
    const reading = sdMetadata.read(
      infotext(`x\nNegative prompt: n\nSteps: 30, Note: ${'y'.repeat(10_000)}`),
    );
    expect(reading.sees).not.toHaveProperty('steps');
    expect(reading.problems).toMatchObject([{ what: 'details' }]);
  });
});

describe('image-metahub', () => {
  it('prefers the workflow, then the parameters', () => {
    expect(imageMetahub.read(png({ parameters: PLAIN, workflow: WORKFLOW })).sees.fromGraph).toBe(true);
    expect(imageMetahub.read(png({ parameters: PLAIN, prompt: GRAPH })).sees).toMatchObject({
      positive: 'a fox in the snow',
      steps: '30',
      model: 'foo',
    });
  });

  it('wants ComfyUI as the version or a model hash in a JPEG', () => {
    const of = (text: string) => imageMetahub.read(jpeg({ userComment: userComment(text, 'be') })).ok;
    expect(of('x\nNegative prompt: n\nSteps: 30, Sampler: Euler')).toBe(false);
    expect(of('x\nNegative prompt: n\nSteps: 30, Sampler: Euler, Version: ComfyUI')).toBe(true);
    expect(of('x\nNegative prompt: n\nSteps: 30, Sampler: Euler, Model hash: abc')).toBe(true);
  });

  it('opens neither WebP nor AVIF', () => {
    for (const format of ['webp', 'avif'] as const) {
      expect(imageMetahub.read(jpeg({ format, userComment: userComment(PLAIN, 'be') })).ok).toBe(false);
    }
  });

  it('loses everything but ASCII of UTF-16, and all but the first line of a negative', () => {
    const text = PLAIN.replace('snow', '雪').replace('blurry', 'blurry\nugly');
    const { sees } = imageMetahub.read(jpeg({ userComment: userComment(text, 'be') }));
    expect(sees.positive).not.toContain('雪');
    expect(sees).toMatchObject({ negative: 'blurry', steps: '30' });
  });
});

describe('view of a TIFF block', () => {
  /** MM · 42 · IFD0 at 8: Make inline, ImageDescription behind, pointer to the EXIF directory. */
  const block = Buffer.concat([
    Buffer.from('MM\0\x2a\0\0\0\x08', 'latin1'),
    Buffer.from('\0\x03', 'latin1'),
    Buffer.from('\x01\x0e\0\x02\0\0\0\x06\0\0\0\x32', 'latin1'),
    Buffer.from('\x01\x0f\0\x02\0\0\0\x04p:1\0', 'latin1'),
    Buffer.from('\x87\x69\0\x04\0\0\0\x01\0\0\0\x38', 'latin1'),
    Buffer.from('\0\0\0\0', 'latin1'),
    Buffer.from('hello\0', 'latin1'),
    Buffer.from('\0\x01', 'latin1'),
    Buffer.from('\x92\x86\0\x07\0\0\0\x0a\0\0\0\x4a', 'latin1'),
    Buffer.from('\0\0\0\0', 'latin1'),
    Buffer.from('ASCII\0\0\0hi', 'latin1'),
  ]);

  it('finds ASCII tags and the UserComment', () => {
    const { ifd0Ascii, userComment: comment, bigEndian } = viewExif(block);
    expect(bigEndian).toBe(true);
    expect(
      ifd0Ascii.map(({ tag: number, bytes }) => [number, Buffer.from(bytes).toString('latin1')]),
    ).toEqual([
      [0x010e, 'hello\0'],
      [0x010f, 'p:1\0'],
    ]);
    expect(Buffer.from(comment ?? []).toString('latin1')).toBe('ASCII\0\0\0hi');
  });

  it('takes what fits of a block that ends too early', () => {
    for (let length = 0; length < block.length; length++)
      expect(() => viewExif(block.subarray(0, length))).not.toThrow();
  });
});
