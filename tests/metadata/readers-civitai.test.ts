import { describe, expect, it } from 'vitest';
import { civitai } from '../../nodes/metadata/readers/civitai.ts';
import { type CommentCoding, infotext, jpeg, PLAIN, png, tag, userComment } from './reader-views.ts';

/** Expectations come from runs of Civitai's own parser on these texts, not from our code. */
const read = (text: string) => civitai.read(infotext(text));
const details = (line: string) => read(`a fox\nNegative prompt: blurry\n${line}`);

describe('civitai', () => {
  it('reads prompts, settings, model and hashes', () => {
    expect(read(PLAIN)).toMatchObject({
      ok: true,
      problems: [],
      sees: {
        positive: 'a fox in the snow',
        negative: 'blurry',
        steps: '30',
        sampler: 'Euler a',
        cfg: '7',
        seed: '5',
        size: '832x1216',
        clipSkip: '2',
        hashes: { model: 'abcdef1234' },
        resources: [{ type: 'model', name: 'foo', hash: 'abcdef1234' }],
      },
    });
  });

  it.each([
    [
      'a list of braces with Steps inside',
      'Steps: 30, Samplers detail: [ {Name: Euler a, Steps: 30} ]',
      'steps',
    ],
    ['CFG scale None', 'Steps: 30, CFG scale: None', 'cfgScale'],
    ['CFG scale N/A', 'Steps: 30, CFG scale: N/A', 'cfgScale'],
    ['a quoted Steps', 'Steps: "30", CFG scale: 7', 'steps'],
    ['a null among the hashes', 'Steps: 30, Hashes: {"model": null}', 'Hashes'],
    ['Hashes cut in the middle of an object', 'Steps: 30, Hashes: {"model": }', 'Hashes'],
    ['Clip skip of words', 'Steps: 30, Clip skip: two', 'clipSkip'],
  ])('throws everything away for %s', (_, line, named) => {
    const reading = details(line);
    expect(reading).toMatchObject({ ok: false, sees: {} });
    expect(reading.problems[0]?.why).toContain(named);
  });

  it('reads the tail of samplers, plain and quoted', () => {
    const { sees } = details(
      'Steps: 30, Samplers: Euler a (0-19) | Heun (20-29), Samplers detail: "1: Euler a 0-19, 2: Heun 20-29"',
    );
    expect(sees.values).toMatchObject({
      Samplers: 'Euler a (0-19) | Heun (20-29)',
      'Samplers detail': { 1: 'Euler a 0-19', 2: 'Heun 20-29' },
    });
  });

  it('leaves a junk key of escaped quotes inside a quoted value', () => {
    const { sees } = details('Steps: 30, X: "{\\"a\\": 1}", Seed: 5');
    expect(Object.keys(sees.values ?? {})).toContain('');
  });

  it('takes a colon in a value for a key, and a quoted plain text for an empty list', () => {
    const { sees } = details('Steps: 30, LoRAs: x.safetensors: str_0.8, Model: "a, b"');
    expect(sees.values).toMatchObject({ 'x.safetensors': 'str_0.8', Model: {} });
    expect(sees.values).not.toHaveProperty('LoRAs');
  });

  it('keeps the colons of a time stamp', () => {
    const { sees } = details('Steps: 30, Created Date: 2024-11-02T10:11:12.1Z, Seed: 5');
    expect(sees).toMatchObject({ seed: '5' });
    expect(sees.values).toHaveProperty(['Created Date']);
  });

  it('keeps only Steps of a text with one key a line', () => {
    const { sees } = read(
      'a fox\nNegative prompt: blurry\nSteps: 30\nSampler: Euler a\nCFG scale: 7\nSeed: 5',
    );
    expect(sees.steps).toBe('30');
    expect(sees).not.toHaveProperty('sampler');
    expect(sees).not.toHaveProperty('seed');
  });

  it('takes Hashes and the resource list out before it splits', () => {
    const { sees } = details(
      'Steps: 30, Seed: 5, Lora hashes: "x: 1111111111", Hashes: {"model": "abc", "lora:x": "1111111111"}, Civitai resources: [{"type":"lora","weight":0.8,"modelVersionId":7}], Civitai metadata: {"a": {"b": 1}}, Version: ComfyUI',
    );
    expect(sees.hashes).toEqual({ model: 'abc', 'lora:x': '1111111111' });
    expect(sees.values).toMatchObject({ Version: 'ComfyUI' });
    expect(sees.values).not.toHaveProperty('Civitai metadata');
    expect(sees.resources).toEqual([
      { type: 'lora', name: 'x', hash: '1111111111' },
      { type: 'lora', name: '7', weight: 0.8 },
    ]);
  });

  it('ends the line at a key that ends in "Resources"', () => {
    expect(details('Steps: 30, My Resources: x, Seed: 5').sees).not.toHaveProperty('seed');
  });

  it('does not find Hashes as the first key of the line', () => {
    expect(details('Hashes: {"model": "abc"}, Steps: 30').sees.hashes).toBeUndefined();
  });

  it('joins LoRA tags with their hashes by name and misses the tags it does not know', () => {
    const { sees, problems } = read(
      'a <lora:good_one-1.0:0.8> <lora:with space:1> <lora:neg:-0.5> <lora:two:1:0.5> <lora:名前:1>\nNegative prompt: \nSteps: 30, Lora hashes: "good_one-1.0: 1111111111"',
    );
    expect(sees.resources).toEqual([{ type: 'lora', name: 'good_one-1.0', weight: 0.8, hash: '1111111111' }]);
    expect(problems.map((problem) => problem.what)).toEqual([
      '<lora:with space:1>',
      '<lora:neg:-0.5>',
      '<lora:two:1:0.5>',
      '<lora:名前:1>',
    ]);
  });

  it('says that a LoRA without a tag counts with weight 1', () => {
    expect(details('Steps: 30, Lora hashes: "x: 1111111111"').problems).toMatchObject([
      { what: 'weight of x' },
    ]);
  });

  it('drops blank lines, and a template with the lines below it', () => {
    expect(read('one\n\n  \ntwo\nNegative prompt: n\nSteps: 30').sees.positive).toBe('one\ntwo');
    expect(read('Template: one\nmore\nNegative prompt: n\nSteps: 30').sees).toMatchObject({
      positive: '',
      negative: 'n',
    });
    expect(read(' Template: one\nNegative prompt: n\nSteps: 30').sees.positive).toBe('Template: one');
  });

  it('splits at "Negative prompt:" anywhere and joins the rest', () => {
    const { sees } = read('a Negative prompt: b\nNegative prompt: c\nSteps: 30');
    expect(sees).toMatchObject({ positive: 'a', negative: 'b c' });
  });

  it('takes the first line that starts with "Steps: " for the details', () => {
    expect(read('Steps: of stone\nNegative prompt: n\nSteps: 30')).toMatchObject({ ok: false });
    expect(read(' Steps: of stone\nNegative prompt: n\nSteps: 30').sees.steps).toBe('30');
  });

  it('rounds seeds above 2^53', () => {
    expect(details('Steps: 30, Seed: 12345678901234567890').sees.seed).toBe('12345678901234567000');
  });

  it.each<[CommentCoding, boolean]>([
    ['be', true],
    ['le', true],
    ['be+bom', true],
    ['le+bom', true],
    ['ascii', true],
    ['utf8', true],
    ['raw', false],
    ['zeros', false],
  ])('guesses the byte order of a UserComment: %s', (coding, readable) => {
    const reading = civitai.read(jpeg({ userComment: userComment(PLAIN, coding) }));
    expect(reading.ok).toBe(readable);
    if (readable) expect(reading.sees.positive).toBe('a fox in the snow');
  });

  it('ignores a JPEG comment', () => {
    expect(civitai.read(jpeg({ comments: [Buffer.from(PLAIN)] })).ok).toBe(false);
  });

  it('reads the graph only where no text holds "Steps: "', () => {
    expect(civitai.read(png({ prompt: '{}', workflow: '{}' })).sees).toMatchObject({
      prompt: true,
      workflow: true,
    });
    expect(civitai.read(png({ prompt: '{}', parameters: PLAIN })).sees).not.toHaveProperty('prompt');
    expect(civitai.read(jpeg({ ifd0Ascii: [tag(0x0110, 'prompt:{}')] })).sees.prompt).toBe(true);
    expect(civitai.read(jpeg({ ifd0Ascii: [tag(0x010e, 'prompt:{}')] })).ok).toBe(false);
  });
});
