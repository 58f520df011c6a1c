import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ENVIRONMENT, readEnvironment } from '../../../bridge/local/environment.ts';

function read(variables: Readonly<Record<string, string>>) {
  const warnings: string[] = [];
  return { ...readEnvironment(variables, (message) => void warnings.push(message)), warnings };
}
const NOTHING = { owner: {}, forceRehash: false, warnings: [] };

test('without variables nothing is decided', () => expect(read({ HOME: '/x' })).toEqual(NOTHING));

describe('flags', () => {
  test.each([
    ['LINEAGE_NO_LORA_SUMMARY', { owner: { noLoraSummary: true } }],
    ['LINEAGE_NO_HASH_DETAIL', { owner: { noHashDetail: true } }],
    ['LINEAGE_DEBUG_PROMPTS', { owner: { debugPrompts: true } }],
    ['LINEAGE_FORCE_REHASH', { forceRehash: true }],
  ])('%s', (name, decided) => {
    for (const yes of ['1', 'true', 'YES', ' on '])
      expect(read({ [name]: yes })).toEqual({ ...NOTHING, ...decided });
    for (const no of ['', '0', 'false', 'No', 'off']) expect(read({ [name]: no })).toEqual(NOTHING);
    expect(read({ [name]: 'maybe' })).toEqual({
      ...NOTHING,
      warnings: [`${name}="maybe" means nothing and was ignored`],
    });
  });
});

test('LINEAGE_HASH_LOG_MODE', () => {
  expect(read({ LINEAGE_HASH_LOG_MODE: 'Path' }).owner).toEqual({ hashLog: 'path' });
  expect(read({ LINEAGE_HASH_LOG_MODE: 'all' })).toMatchObject({ owner: {}, warnings: [expect.any(String)] });
});

describe('limits of a JPEG', () => {
  test.each([
    [{ LINEAGE_JPEG_EXIF_HARD_MAX_KB: '16' }, 16_384],
    [{ LINEAGE_JPEG_EXIF_HARD_MAX_KB: '2048' }, 65_535],
    [{ LINEAGE_JPEG_EXIF_HARD_MAX_KB: '1' }, 4_096],
    [{ LINEAGE_JPEG_EXIF_SEGMENT_LIMIT: '50000' }, 50_000],
    [{ LINEAGE_JPEG_EXIF_SEGMENT_LIMIT: '50000', LINEAGE_JPEG_EXIF_HARD_MAX_KB: '64' }, 50_000],
    [{ LINEAGE_JPEG_EXIF_SEGMENT_LIMIT: '50000', LINEAGE_JPEG_EXIF_HARD_MAX_KB: '8' }, 8_192],
  ])('%j', (variables, bytes) => expect(read(variables).owner).toEqual({ maxExifBytes: bytes }));

  test.each(['-1', '8.5', '8k', 'NaN', '9'.repeat(40)])('%s is no limit', (text) => {
    expect(read({ LINEAGE_JPEG_EXIF_HARD_MAX_KB: text })).toMatchObject({
      owner: {},
      warnings: [expect.any(String)],
    });
  });
});

test('whatever a variable says, a limit is one that a JPEG can keep', () => {
  const names = Object.keys(ENVIRONMENT);
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...names), fc.oneof(fc.string(), fc.nat().map(String))),
      (variables) => {
        const { owner, warnings } = read(variables);
        const bytes = owner.maxExifBytes ?? 4_096;
        expect(bytes >= 4_096 && bytes <= 65_535).toBe(true);
        expect(warnings.length).toBeLessThanOrEqual(Object.keys(variables).length);
      },
    ),
  );
});

test('ComfyUI hands each of them to the bridge', () => {
  const python = readFileSync(new URL('../../../bridge/comfyui/node_program.py', import.meta.url), 'utf8');
  const [, kept = ''] = /_OURS = \(([^)]*)\)/.exec(python) ?? [];
  expect(kept.match(/LINEAGE_\w+/g)?.sort()).toEqual(Object.keys(ENVIRONMENT).sort());
});
