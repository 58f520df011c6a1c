import { inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readContainer, spliceContainer } from '../../nodes/formats/container.ts';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { embedMetadata } from '../../nodes/metadata/embed.ts';
import { parseInfotext } from '../../nodes/metadata/infotext.ts';
import { packGraphs, unpackGraphs } from '../../nodes/metadata/packed-graphs.ts';
import { stripPicture } from '../../nodes/metadata/strip/strip-picture.ts';
import { expectSamePixels, makeImage, withFile } from '../formats/samples.ts';
import { exiftool, findingsOf } from '../peers.ts';

const TEXT =
  'a heron\nNegative prompt: blur\nSteps: 9, Sampler: Euler, Seed: 7, Size: 13x9, Version: ComfyUI';
/** Spelled as no other program would write it again: numbers and spaces must come back. */
const PROMPT = `{"9": {"class_type":"KSampler", "inputs":{"seed": 18446744073709551615, "cfg": 8.0}}}`;
const WORKFLOW = JSON.stringify({
  nodes: Array.from({ length: 4_000 }, (_, id) => ({ id, x: (id * 7919) % 10_007 })),
});

const picture = await makeImage('jpeg');
const { warn, list } = createWarningLog();
const request = { parameters: parseInfotext(TEXT), prompt: PROMPT, workflow: WORKFLOW, record: '{}' };
const { bytes, dropped, stage } = embedMetadata(picture, { ...request, maxExifBytes: 16_384 }, warn);

/** Data of the APP11 segments, read with none of our code. */
function app11(jpeg: Uint8Array): Buffer[] {
  const file = Buffer.from(jpeg);
  const found: Buffer[] = [];
  for (let at = 2; file[at + 1] !== 0xda; at += 2 + file.readUInt16BE(at + 2))
    if (file[at + 1] === 0xeb) found.push(file.subarray(at + 4, at + 2 + file.readUInt16BE(at + 2)));
  return found;
}

test('a JPEG whose EXIF has no room keeps the graphs compressed, and that is told', () => {
  expect(stage).toBe('reduced-exif');
  const why = 'the budget is too small; it is kept compressed, for lineage restore';
  expect(dropped.filter(({ what }) => what === 'prompt' || what === 'workflow')).toEqual([
    { what: 'prompt', why },
    { what: 'workflow', why },
  ]);
  expect(list.map(({ message }) => message)).toContain(`workflow: ${why}`);
  const json = inflateSync(Buffer.concat(app11(bytes).map((data) => data.subarray(106)))).toString();
  expect(JSON.parse(json)).toEqual({ prompt: PROMPT, workflow: WORKFLOW });
});

test('they are read as from any other picture, character for character', () => {
  expect(readCarried(readContainer(bytes))).toMatchObject({ prompt: PROMPT, workflow: WORKFLOW });
});

test('one whose EXIF holds them has none, and loses those it had', () => {
  const small = embedMetadata(picture, { ...request, workflow: '{}', maxExifBytes: 60_000 }, () => {});
  expect(app11(small.bytes)).toEqual([]);
  const again = embedMetadata(bytes, { ...request, workflow: '{}', maxExifBytes: 60_000 }, () => {});
  expect(again.bytes).toEqual(small.bytes);
});

test('writing the same again gives the same bytes; without graphs none are left', () => {
  expect(embedMetadata(bytes, { ...request, maxExifBytes: 16_384 }, () => {}).bytes).toEqual(bytes);
  const { prompt: _prompt, workflow: _workflow, ...bare } = request;
  expect(app11(embedMetadata(bytes, { ...bare, maxExifBytes: 4_096 }, () => {}).bytes)).toEqual([]);
});

test('every other reader is where it was: pixels, EXIF, and exiftool finds no fault', async () => {
  await expectSamePixels(bytes, picture);
  const without = spliceContainer(bytes, { packed: null });
  expect(readContainer(without).exif).toEqual(readContainer(bytes).exif);
  if (!exiftool.available) return;
  await withFile(bytes, 'jpg', (file) => {
    expect(findingsOf(file)).toBe('');
    expect(exiftool.run(['-s3', '-UserComment', file])).toContain('Steps: 9');
  });
});

describe('damage', () => {
  const [first = Buffer.alloc(0)] = app11(bytes);
  const flipped = Buffer.from(bytes);
  const at = flipped.indexOf(first) + 120;
  flipped[at] = (flipped[at] ?? 0) ^ 0xff;

  test('costs the graphs and nothing else', () => {
    const carried = readCarried(readContainer(flipped));
    expect(carried.parameters).toContain('Steps: 9');
    expect([carried.prompt, carried.workflow]).toEqual([undefined, undefined]);
    expect(() => unpackGraphs(readContainer(flipped).packed)).toThrow(
      expect.objectContaining({ code: 'jpeg/packed' }),
    );
  });

  test('what is no object of graphs is refused', () => {
    for (const text of ['[]', '7', '{"prompt"']) {
      const packed = packGraphs({ prompt: text });
      expect(unpackGraphs(packed ?? []).prompt).toBe(text);
    }
  });

  test('a picture cut anywhere in them is refused as a whole, or read without them', () => {
    const start = Buffer.from(bytes).indexOf(first);
    for (let end = start; end < start + first.length; end += 997) {
      try {
        readContainer(bytes.subarray(0, end));
        expect.unreachable();
      } catch (error) {
        if (!isLineageError(error, 'jpeg/malformed')) throw error;
      }
    }
  });
});

describe('strip', () => {
  const key = 'sk-proj-Zx9Qw7Er5Ty3Ui1Op0As2Df4Gh6Jk8Lz';
  const secret = JSON.stringify({ nodes: [{ id: 1, widgets_values: [key, 'kept words'] }], links: [] });
  const withSecret = embedMetadata(
    picture,
    { ...request, workflow: secret + ' '.repeat(40_000), maxExifBytes: 4_096 },
    () => {},
  ).bytes;

  test.each(['public', 'client'] as const)('%s takes them out', (profile) => {
    expect(app11(withSecret)).toHaveLength(1);
    expect(app11(stripPicture(withSecret, profile, () => {}).bytes)).toEqual([]);
  });

  test('archive keeps them without the secrets', () => {
    const stripped = stripPicture(withSecret, 'archive', () => {});
    const workflow = readCarried(readContainer(stripped.bytes)).workflow ?? '';
    expect(workflow).toContain('kept words');
    expect(workflow).not.toContain(key);
    expect(stripped.secrets.length).toBeGreaterThan(0);
  });

  test('archive leaves them as they are where nothing is secret, and takes out what nobody can read', () => {
    expect(stripPicture(bytes, 'archive', () => {}).bytes).toEqual(bytes);
    const broken = spliceContainer(bytes, {
      packed: [app11(bytes)[0]?.subarray(0, 200) ?? new Uint8Array()],
    });
    expect(app11(stripPicture(broken, 'archive', () => {}).bytes)).toEqual([]);
  });
});
