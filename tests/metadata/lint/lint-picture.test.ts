import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { LINT_RULES, lintPicture } from '../../../nodes/metadata/lint/lint-picture.ts';
import { READER_RULES } from '../../../nodes/metadata/lint/reader-rules.ts';
import { READERS } from '../../../nodes/metadata/readers/index.ts';
import { type LossId, lossOf, type MismatchId } from '../../../nodes/metadata/readers/losses.ts';
import { internationalChunk } from '../../bridge/cli/pictures.ts';
import { MANIFEST_STORE } from '../../formats/manifest-store.ts';
import { makeImage } from '../../formats/samples.ts';
import { full, GRAPH, infotext, png, WORKFLOW, withComment, withExif } from './pictures.ts';

type Made = () => Promise<Uint8Array>;

const text =
  (details: Readonly<Record<string, string | null>> = {}, prompts?: string): Made =>
  () =>
    png({ parameters: infotext(details, prompts) });
const prompts = (lines: string): Made => text({}, lines);
const LONG_SEED = { Seed: '18446744073709551615' };
const MARK =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" ' +
  'xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"><i:DigitalSourceType>x</i:DigitalSourceType></rdf:Description></rdf:RDF></x:xmpmeta>';

const jpeg: Made = () => withExif('jpeg', infotext());
const webp: Made = () => withExif('webp', infotext());
const avif: Made = () => withExif('avif', infotext());
const plainText = text();
const graphAlone: Made = () => png({ prompt: GRAPH, workflow: WORKFLOW });
const workflowAlone: Made = () => png({ workflow: WORKFLOW });
const twoNegatives = prompts('Negative prompt: x\nNegative prompt: y');

/** For each rule a picture that breaks it, and one that differs in that and does not. */
const CASES: Readonly<Record<string, readonly [bad: Made, good: Made]>> = {
  M001: [() => makeImage('png'), full],
  M002: [
    () => png({ prompt: GRAPH }, [{ type: 'zTXt', data: Buffer.from('parameters\0\0no zlib') }]),
    graphAlone,
  ],
  M003: [
    () => png({ prompt: GRAPH }, [{ type: 'eXIf', data: Buffer.from('MM\0*\0\0\xff\xff', 'latin1') }]),
    jpeg,
  ],
  M004: [
    () => png({ prompt: GRAPH }, [internationalChunk('XML:com.adobe.xmp', '<broken')]),
    () => png({ prompt: GRAPH }, [internationalChunk('XML:com.adobe.xmp', MARK)]),
  ],
  M005: [() => withComment(infotext()), jpeg],
  M006: [text({ 'Metadata Fallback': 'minimal' }), plainText],
  M007: [() => png({ prompt: '{"1":NaN}' }), graphAlone],
  M008: [
    () => png({ parameters: infotext() }, [internationalChunk('parameters', 'another')]),
    () => png({ parameters: infotext() }, [internationalChunk('parameters', infotext())]),
  ],
  M009: [async () => (await full()).subarray(0, 60), full],
  M010: [() => png({ prompt: GRAPH }, [{ type: 'caBX', data: Buffer.from(MANIFEST_STORE) }]), graphAlone],
  M011: [full, () => png({ prompt: GRAPH }, [internationalChunk('XML:com.adobe.xmp', MARK)])],
  M012: [plainText, full],
  M101: [text({ Steps: null }), plainText],
  M102: [workflowAlone, graphAlone],
  M103: [text({ Hashes: '{"a":1}' }), text({ Hashes: '{"a":"1"}' })],
  M104: [text({ 'Civitai resources': '[{a}]' }), text({ 'Civitai resources': '[{"type":"lora"}]' })],
  M105: [text({ 'Civitai metadata': '{a}' }), text({ 'Civitai metadata': '{"a":1}' })],
  M106: [text({ 'CFG scale': 'None' }), plainText],
  M107: [text({ Sampler: '"Euler, a"' }), plainText],
  M108: [text({ 'Model hash': '"abc"' }), plainText],
  M109: [prompts('a <lora:x:.>\nNegative prompt: b'), prompts('a <lora:x:1.0>\nNegative prompt: b')],
  M110: [full, graphAlone],
  M111: [prompts('a Negative prompt: b\nNegative prompt: c'), plainText],
  M112: [prompts('a\nTemplate: b\nNegative prompt: c'), plainText],
  M113: [prompts('a\nSteps: 3\nNegative prompt: c'), plainText],
  M114: [prompts('a\n\nb\nNegative prompt: c'), prompts('a\nb\nNegative prompt: c')],
  M115: [text(LONG_SEED), plainText],
  M116: [
    prompts('a <lora:my lora:0.8>\nNegative prompt: b'),
    prompts('a <lora:mine:0.8>\nNegative prompt: b'),
  ],
  M117: [
    text({ 'Lora hashes': '"x: abcdef"' }),
    text({ 'Lora hashes': '"x: abcdef"' }, 'a <lora:x:0.8>\nNegative prompt: b'),
  ],
  M118: [text({ 'Model hash': null }), plainText],
  M119: [text({ upscalers: 'x' }), text({ Upscaler: 'x' })],
  M121: [text({ Note: 'a:b' }), text({ Note: 'ab' })],
  M199: [text({ Size: '64 x 64' }), plainText],
  M201: [graphAlone, full],
  M202: [() => png({ parameters: 'a\nNegative prompt: b\nSteps: 20, Seed: 1' }), plainText],
  M203: [prompts('a\nNegative prompt: b\nNegative prompt: c'), plainText],
  M204: [prompts('a \nb\nNegative prompt: c'), plainText],
  M206: [() => withExif('jpeg', infotext(), { coding: 'le' }), jpeg],
  M207: [text({ 'Key(x)': '1' }), text({ 'Key x': '1' })],
  M299: [text({ Size: '64 x 64' }), plainText],
  M301: [
    () => withExif('webp', infotext(), { ascii: { 272: `prompt:${GRAPH}` } }),
    () => withExif('webp', infotext(), { ascii: { 270: `prompt:${GRAPH}` } }),
  ],
  M302: [workflowAlone, full],
  M303: [() => withComment(infotext()), jpeg],
  M304: [() => withExif('webp', infotext(), { channels: 4 }), webp],
  M305: [() => withExif('webp', undefined, { ascii: { 270: `prompt:${GRAPH}` } }), webp],
  M306: [() => withExif('jpeg', evenly(infotext()), { coding: 'utf8' }), jpeg],
  M307: [() => withExif('jpeg', `{"a":1}\n${infotext()}`), jpeg],
  M308: [
    () => withExif('jpeg', `${evenly(infotext())} `, { coding: 'ascii' }),
    () => withExif('jpeg', evenly(infotext()), { coding: 'ascii' }),
  ],
  M309: [() => withExif('jpeg', infotext({}, 'smørrebrød Ø\nNegative prompt: b')), jpeg],
  M310: [text({ Size: '64x64x3' }), plainText],
  M311: [text({ Size: null }), plainText],
  M312: [twoNegatives, plainText],
  M313: [prompts('a\nSteps: three\nNegative prompt: c'), plainText],
  M314: [prompts('Negative prompt: c'), prompts('\nNegative prompt: c')],
  M315: [avif, plainText],
  M399: [text({ Sampler: '"Euler, a"' }), plainText],
  M401: [jpeg, webp],
  M402: [
    async () => withBrand(await avif(), 'mif1'),
    () => withExif('avif', infotext(), { ascii: { 270: `prompt:${GRAPH}` } }),
  ],
  M403: [prompts('a fox'), plainText],
  M404: [() => png({ workflow: '{"a":NaN}' }), workflowAlone],
  M405: [webp, () => withExif('webp', infotext(), { ascii: { 270: `prompt:${GRAPH}` } })],
  M406: [text({ Size: '832x1217' }), plainText],
  M407: [text(LONG_SEED), plainText],
  M408: [text({ 'Schedule type': 'Karras' }), plainText],
  M409: [prompts('café\nNegative prompt: b'), prompts('狐\nNegative prompt: b')],
  M410: [text({ Sampler: 'My Own' }), text({ Sampler: 'Euler' })],
  M412: [() => png({ parameters: infotext() }, [compressed('prompt', GRAPH)]), full],
  M499: [text({ 'CFG scale': 'x' }), plainText],
  M501: [avif, webp],
  M502: [() => withComment(infotext()), jpeg],
  M503: [() => png({ prompt: '{}' }), plainText],
  M504: [() => png({ parameters: 'hello' }), plainText],
  M505: [prompts('a Negative prompt: b\nNegative prompt: c'), plainText],
  M506: [prompts('a Steps: b\nNegative prompt: c'), plainText],
  M507: [text({ 'Lora_0 Model hash': 'ffff000011' }), plainText],
  M508: [text(LONG_SEED), plainText],
  M509: [text({ 'Clip skip': '2', 'Lora_0 Name': 'x' }), text({ 'Clip skip': '2', Name: 'x' })],
  M510: [text({ Note: 'long '.repeat(2_500) }), plainText],
  M511: [workflowAlone, graphAlone],
  M599: [prompts('Ã©\nNegative prompt: b'), prompts('é\nNegative prompt: b')],
  M601: [webp, jpeg],
  M602: [() => withExif('jpeg', undefined, { ascii: { 270: `prompt:${GRAPH}` } }), jpeg],
  M603: [() => withExif('jpeg', infotext({ Version: null, 'Model hash': null })), jpeg],
  M604: [() => png({ PARAMETERS: infotext() }), plainText],
  M605: [prompts('a\nNegative prompt: b\nc'), plainText],
  M606: [twoNegatives, plainText],
  M607: [() => withExif('jpeg', infotext({}, '狐\nNegative prompt: b')), jpeg],
  M608: [prompts('café\nNegative prompt: b'), prompts('狐\nNegative prompt: b')],
  M609: [prompts('a Size: 5x5 b\nNegative prompt: c'), plainText],
  M610: [text({ 'Distilled CFG Scale': '3.5' }), plainText],
  M611: [text(LONG_SEED), plainText],
  M699: [text({ Sampler: '"Euler, a"' }), plainText],
};

/** Of an even number of ASCII bytes. */
function evenly(lines: string): string {
  return lines.length % 2 === 0 ? lines : `${lines} `;
}

function withBrand(file: Uint8Array, brand: string): Uint8Array {
  const out = Uint8Array.from(file);
  out.set(Buffer.from(brand, 'latin1'), 8);
  return out;
}

function compressed(keyword: string, content: string) {
  return { type: 'zTXt', data: Buffer.concat([Buffer.from(`${keyword}\0\0`), deflateSync(content)]) };
}

const idsOf = (bytes: Uint8Array): string[] => lintPicture(bytes).map(({ rule }) => rule.id);

describe('every rule', () => {
  test('has a case, and every case a rule', () => {
    expect(Object.keys(CASES).sort()).toEqual(LINT_RULES.map(({ id }) => id));
    expect(new Set(LINT_RULES.map(({ name }) => name)).size).toBe(LINT_RULES.length);
  });

  test.each(LINT_RULES.map(({ id, name }) => [id, name] as const))('%s %s', async (id) => {
    const [bad, good] = CASES[id] ?? [];
    expect(idsOf(await bad!()), 'the picture that breaks it').toContain(id);
    expect(idsOf(await good!()), 'the picture that does not').not.toContain(id);
  });
});

// That every loss has a sentence and a rule is held by the types; that the rule is of the right reader, here.
describe("a reader's losses", () => {
  test('are of rules of that reader', () => {
    for (const { id, habits, otherKeys } of READERS)
      for (const loss of [...habits.map(({ loss }) => loss), ...(otherKeys ? [otherKeys] : [])])
        expect(READER_RULES, `${id}: ${loss}`).toHaveProperty([loss, 'reader'], id);
  });

  test('cannot be had without a rule and a sentence', () => {
    expectTypeOf<Exclude<LossId, keyof typeof READER_RULES>>().toEqualTypeOf<MismatchId>();
    // @ts-expect-error no such loss
    expect(lossOf('x', { id: 'unheard-of' }).why).toBeUndefined();
  });

  test.each([
    ['M112', 'Civitai removes lines that start with "Template: " and what follows them.'],
    ['M302', 'sd-prompt-reader finds no parameters text.'],
    ['M406', 'The front end of ComfyUI rounds the size of an A1111 text up to multiples of 64.'],
  ])('are the reason of their rule, with the name of the reader: %s', async (id, sentence) => {
    const [bad] = CASES[id] ?? [];
    const found = lintPicture(await bad!()).find(({ rule }) => rule.id === id);
    expect(found?.rule.reason).toBe(sentence);
    expect(`${found?.message}.`).toBe(sentence);
  });

  test('are told in sentences that name a reader', () => {
    const names = /Civitai|A1111|sd-prompt-reader|The front end of ComfyUI|sd-metadata|Image-MetaHub/;
    for (const [name, { reason }] of Object.entries(READER_RULES)) {
      expect(reason, name).toMatch(names);
      expect(reason, name).toMatch(/[^.]\.$/);
    }
  });

  test('are told by what they are, not by words that stand in a picture', async () => {
    // What is shown instead is quoted in the sentence; this says what another rule is about.
    const found = lintPicture(await text({ Sampler: '"EXIF Model tag, x"' })());
    const ids = found.filter(({ rule }) => rule.reader === 'sd-prompt-reader').map(({ rule }) => rule.id);
    expect(ids).toEqual(['M399']);
  });

  test('of many keys name the colon in any of them', async () => {
    const lost = { upscalers: 'a', models: 'b', denoise: 'c', other: 'd', Note: 'e:f' };
    const ids = idsOf(await text(lost)());
    expect(ids).toContain('M121');
    expect(ids).not.toContain('M119');
  });
});

test('ids and names are promises', () => {
  expect(LINT_RULES.map(({ id, name }) => `${id} ${name}`).join('\n')).toMatchInlineSnapshot(`
    "M001 no-metadata
    M002 damaged-chunk
    M003 damaged-exif
    M004 damaged-xmp
    M005 comment-only
    M006 text-cut
    M007 graph-damaged
    M008 conflicting-texts
    M009 unreadable
    M010 signed
    M011 origin-not-marked
    M012 no-graph
    M101 steps-missing
    M102 civitai-no-data
    M103 hashes-not-texts
    M104 resources-not-a-list
    M105 civitai-metadata-not-an-object
    M106 number-expected
    M107 sampler-quoted
    M108 hash-not-a-text
    M109 lora-weight-not-a-number
    M110 graph-not-looked-at
    M111 negative-mark-in-prompt-civitai
    M112 template-line
    M113 steps-in-prompt-civitai
    M114 blank-lines-dropped
    M115 seed-rounded-civitai
    M116 lora-tag-invisible
    M117 lora-weight-unknown
    M118 model-hash-missing
    M119 key-lost-civitai
    M121 value-with-colon
    M199 differs-civitai
    M201 a1111-no-text
    M202 too-few-settings
    M203 negative-mark-in-prompt-a1111
    M204 line-ends-stripped
    M206 utf16-order
    M207 key-lost-a1111
    M299 differs-a1111
    M301 model-tag
    M302 sd-prompt-reader-no-text
    M303 jpeg-comment
    M304 rgba-webp
    M305 no-user-comment
    M306 unknown-character-code
    M307 not-a-parameters-text
    M308 odd-comment
    M309 half-surrogates
    M310 size-malformed
    M311 size-missing
    M312 negative-mark-in-prompt-sdpr
    M313 steps-in-prompt-sdpr
    M314 empty-first-line
    M315 sd-prompt-reader-format
    M399 differs-sd-prompt-reader
    M401 jpeg-not-opened
    M402 avif-brand
    M403 infotext-not-importable
    M404 graph-not-json
    M405 no-workflow
    M406 size-rounded
    M407 seed-rounded-comfyui
    M408 schedule-ignored
    M409 latin1-text
    M410 sampler-unknown
    M412 compressed-text
    M499 differs-comfyui
    M501 sd-metadata-format
    M502 sd-metadata-comment
    M503 sd-metadata-no-text
    M504 sd-metadata-unknown-text
    M505 negative-mark-in-prompt-sd-metadata
    M506 steps-in-prompt-sd-metadata
    M507 model-hash-overridden
    M508 seed-rounded-sd-metadata
    M509 value-dropped
    M510 settings-too-long
    M511 workflow-alone
    M599 differs-sd-metadata
    M601 image-metahub-format
    M602 image-metahub-no-comment
    M603 image-metahub-not-accepted
    M604 image-metahub-no-data
    M605 negative-first-line
    M606 negative-mark-in-prompt-metahub
    M607 utf16-as-utf8
    M608 latin1-as-utf8
    M609 key-in-prompt
    M610 distilled-cfg
    M611 seed-rounded-metahub
    M699 differs-image-metahub"
  `);
});

test('a picture that carries all there is has nothing worse than notes', async () => {
  expect(lintPicture(await full()).filter(({ rule }) => rule.severity !== 'note')).toEqual([]);
});

test('any bytes give an answer', async () => {
  for (const source of [await full(), await jpeg(), await webp(), await avif()]) {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(source.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(source.length),
        (changes, length) => {
          const damaged = Uint8Array.from(source);
          for (const [at, value] of changes) damaged[at] = value;
          expect(Array.isArray(lintPicture(damaged))).toBe(true);
          expect(idsOf(damaged.subarray(0, length)).length).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 150 },
    );
  }
});
