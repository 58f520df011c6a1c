import { describe, expect, it } from 'vitest';
import { a1111 } from '../../nodes/metadata/readers/a1111.ts';
import { sdPromptReader } from '../../nodes/metadata/readers/sd-prompt-reader.ts';
import { type CommentCoding, infotext, jpeg, PLAIN, png, tag, userComment } from './reader-views.ts';

const read = (text: string) => a1111.read(infotext(text));

describe('a1111', () => {
  it('reads prompts and settings', () => {
    expect(read(PLAIN)).toMatchObject({
      ok: true,
      problems: [],
      sees: {
        positive: 'a fox in the snow',
        negative: 'blurry',
        steps: '30',
        sampler: 'Euler a',
        scheduler: 'Karras',
        cfg: '7',
        seed: '5',
        size: '832x1216',
        model: 'foo',
        modelHash: 'abcdef1234',
        clipSkip: '2',
      },
    });
  });

  it('counts a last line of fewer than three pairs as prompt', () => {
    expect(read('a fox\nSteps: 30, Seed: 5').sees).toMatchObject({ positive: 'a fox\nSteps: 30, Seed: 5' });
    expect(read('a fox\nSteps: 30, Seed: 5, Size: 1x2').sees).toMatchObject({
      positive: 'a fox',
      steps: '30',
      size: '1x2',
    });
  });

  it('strips every line, keeps inner blank lines, and starts the negative only at the start of a line', () => {
    const { sees } = read(
      '  one  \n\ntwo Negative prompt: not yet\n  Negative prompt:  bad  \n worse\nSteps: 1, Seed: 2, CFG scale: 3',
    );
    expect(sees).toMatchObject({ positive: 'one\n\ntwo Negative prompt: not yet', negative: 'bad\nworse' });
  });

  it('unquotes JSON texts and leaves other quotes alone', () => {
    const { sees } = read(
      'x\nSteps: 1, Model: "a, \\"b\\": c", Lora hashes: "x: 1, y: 2", Seed: 3, Odd: "a" b',
    );
    expect(sees.values).toMatchObject({ Model: 'a, "b": c', 'Lora hashes': 'x: 1, y: 2', Odd: '"a" b' });
  });

  it('cuts an unquoted object at its first comma and lets a key leak from the rest', () => {
    const { sees } = read('x\nSteps: 1, Seed: 2, Hashes: {"model": "abc", "lora:x": "def"}');
    expect(sees.values).toMatchObject({ Hashes: '{"model": "abc"', lora: 'x": "def"}' });
  });

  it('overwrites Steps from a list of braces', () => {
    const { sees } = read(
      'x\nSteps: 30, Seed: 1, Samplers detail: [ {Name: Euler a, Steps: 30}, {Name: Heun, Steps: 31}',
    );
    expect(sees).toMatchObject({ steps: '31}' });
    expect(sees.values).toMatchObject({ Name: 'Heun' });
  });

  it('keeps 64-bit seeds', () => {
    expect(read('x\nSteps: 1, CFG scale: 2, Seed: 18446744073709551615').sees.seed).toBe(
      '18446744073709551615',
    );
  });

  it.each<[CommentCoding, string]>([
    ['be', 'a fox in the snow'],
    ['ascii', 'a fox in the snow'],
    ['be+bom', '\ufeffa fox in the snow'],
  ])('reads a UserComment: %s', (coding, positive) => {
    expect(a1111.read(jpeg({ userComment: userComment(PLAIN, coding) })).sees.positive).toBe(positive);
  });

  it.each<CommentCoding>(['le', 'le+bom'])('makes Chinese garbage of a UserComment in %s', (coding) => {
    const { sees } = a1111.read(jpeg({ userComment: userComment(PLAIN, coding) }));
    expect(sees).not.toHaveProperty('steps');
    expect(sees.positive).toContain('愀'); // 'a' with its bytes the wrong way round is U+6100
  });

  it('reads a JPEG comment only where there is no EXIF', () => {
    expect(a1111.read(jpeg({ comments: [Buffer.from(PLAIN)] })).sees.steps).toBe('30');
    expect(a1111.read(jpeg({ comments: [Buffer.from(PLAIN)], hasExif: true })).ok).toBe(false);
  });

  it('lets the UserComment win over the PNG text', () => {
    const view = {
      ...infotext('other\nSteps: 1, Seed: 2, CFG scale: 3'),
      userComment: userComment(PLAIN, 'be'),
    };
    expect(a1111.read(view).sees.steps).toBe('30');
  });
});

describe('sd-prompt-reader', () => {
  it('reads prompts and settings of a PNG, from either kind of chunk', () => {
    for (const chunk of ['tEXt', 'iTXt'] as const) {
      expect(sdPromptReader.read(png({ parameters: PLAIN, prompt: '{}' }, chunk))).toMatchObject({
        ok: true,
        sees: {
          positive: 'a fox in the snow',
          negative: 'blurry',
          steps: '30',
          seed: '5',
          size: '832x1216',
          model: 'foo',
        },
      });
    }
  });

  it('splits at the first lines that start so', () => {
    const { sees } = sdPromptReader.read(
      infotext('a\nSteps: of stone\nNegative prompt: n\nSteps: 30, Size: 1x2'),
    );
    expect(sees).toMatchObject({ steps: 'of stone\nNegative prompt: n\nSteps: 30' });
  });

  it('keeps the first of two equal keys', () => {
    const text =
      'a\nNegative prompt: n\nSteps: 30, Size: 1x2, Samplers detail: [ {Name: Euler a, Steps: 31} ]';
    expect(sdPromptReader.read(infotext(text)).sees.steps).toBe('30');
  });

  it('needs Size as WxH', () => {
    expect(sdPromptReader.read(infotext('a\nNegative prompt: n\nSteps: 30, Size: large')).ok).toBe(false);
  });

  it('cuts a text that starts with "Negative prompt:"', () => {
    const { sees } = sdPromptReader.read(infotext('Negative prompt: n\nSteps: 30, Size: 1x2'));
    expect(sees.negative).toBe('n');
    expect(sees.positive).not.toBe('');
  });

  it('crashes on an EXIF Model tag that is not JSON, and not on ImageDescription and Make', () => {
    const comment = userComment(PLAIN, 'be');
    expect(
      sdPromptReader.read(jpeg({ userComment: comment, ifd0Ascii: [tag(0x0110, 'prompt:{}')] })),
    ).toMatchObject({
      ok: false,
      problems: [{ why: expect.stringContaining('crashes') }],
    });
    expect(
      sdPromptReader.read(
        jpeg({ userComment: comment, ifd0Ascii: [tag(0x010e, 'prompt:{}'), tag(0x010f, 'workflow:{}')] }),
      ).ok,
    ).toBe(true);
  });

  it('never looks at the EXIF of a WebP with alpha, of any file with a comment, nor of AVIF', () => {
    const comment = userComment(PLAIN, 'be');
    expect(sdPromptReader.read(jpeg({ format: 'webp', userComment: comment })).ok).toBe(true);
    expect(sdPromptReader.read(jpeg({ format: 'webp', userComment: comment, hasAlpha: true })).ok).toBe(
      false,
    );
    expect(sdPromptReader.read(jpeg({ userComment: comment, comments: [Buffer.from('x')] })).ok).toBe(false);
    expect(sdPromptReader.read(jpeg({ format: 'avif', userComment: comment })).ok).toBe(false);
  });

  it('tries every comment as little-endian UTF-16 first, strictly', () => {
    const of = (text: string, coding: CommentCoding) =>
      sdPromptReader.read(jpeg({ userComment: userComment(text, coding) })).ok;
    const even = PLAIN.length % 2 === 0 ? PLAIN : `${PLAIN} `;
    expect(of(even, 'ascii')).toBe(true);
    expect(of(`${even}x`, 'ascii')).toBe(false);
    // U+00DF has the low byte DF: read the other way round that is half a pair.
    expect(of(PLAIN.replace('snow', 'Straße'), 'be')).toBe(false);
    expect(of(PLAIN.replace('snow', 'café 雪'), 'be')).toBe(true);
  });
});
