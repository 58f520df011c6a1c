import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { IMAGE_FORMATS } from '../../../nodes/kit/values.ts';
import { tagReportSchema, undoReportSchema } from '../../../nodes/metadata/file-reports.ts';
import { drawPicture, makePicture } from './random-pictures.ts';
import { runCommand } from './run-command.ts';

/** Doubles of today's seconds are 238 ns apart, and a time is set by a double. */
const CLOCK_NS = 240n;

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

async function samplesOf(file: string): Promise<string> {
  const { data, info } = await sharp(readFileSync(file)).raw().toBuffer({ resolveWithObject: true });
  return `${info.width}x${info.height}x${info.channels} ${createHash('sha256').update(data).digest('hex')}`;
}

async function lookAt(file: string) {
  const { mode, mtimeNs } = statSync(file, { bigint: true });
  return { sha256: sha256(file), samples: await samplesOf(file), mode, mtimeNs };
}

describe.each(IMAGE_FORMATS)('any %s', (format) => {
  test('keeps its pixels, mode and time when it is tagged, and comes back byte for byte', async () => {
    const drawn = fc.record({
      picture: drawPicture(format),
      mode: fc.constantFrom(0o644, 0o600, 0o640, 0o666),
      // 1980 to 2100.
      seconds: fc.integer({ min: 315_532_800, max: 4_102_444_800 }),
      nanoseconds: fc.nat({ max: 999_999_999 }),
    });
    let tagged = 0;
    await fc.assert(
      fc.asyncProperty(drawn, async ({ picture, mode, seconds, nanoseconds }) => {
        const folder = mkdtempSync(join(tmpdir(), 'lineage-undo-'));
        try {
          const file = join(folder, 'pictures', `a.${format}`);
          const journal = join(folder, 'journal.jsonl');
          mkdirSync(join(folder, 'pictures'));
          writeFileSync(file, await makePicture(picture));
          chmodSync(file, mode);
          utimesSync(file, seconds, seconds + nanoseconds / 1e9);
          const before = await lookAt(file);

          const done = await runCommand('tag', [join(folder, 'pictures'), '--journal', journal, '--jsonl']);
          expect(done.printed).toHaveLength(1);
          const report = tagReportSchema.strict().parse(JSON.parse(done.printed[0] ?? ''));
          expect(report, JSON.stringify(report.error)).toMatchObject({ outcome: 'tagged', format });
          const after = await lookAt(file);
          expect(after.sha256).not.toBe(before.sha256);
          expect(after).toMatchObject({ samples: before.samples, mode: before.mode });
          expect(distance(after.mtimeNs, before.mtimeNs)).toBeLessThan(CLOCK_NS);
          tagged++;

          const again = await runCommand('tag', [
            join(folder, 'pictures'),
            '--journal',
            `${journal}.2`,
            '--jsonl',
          ]);
          expect(JSON.parse(again.printed[0] ?? '')).toMatchObject({ outcome: 'right' });
          expect(sha256(file)).toBe(after.sha256);

          const undone = await runCommand('undo', [journal, '--jsonl']);
          expect(undoReportSchema.strict().parse(JSON.parse(undone.printed[0] ?? ''))).toEqual({
            file,
            outcome: 'restored',
          });
          const restored = await lookAt(file);
          expect({ ...restored, mtimeNs: 0n }).toEqual({ ...before, mtimeNs: 0n });
          expect(distance(restored.mtimeNs, before.mtimeNs)).toBeLessThan(CLOCK_NS);
          expect(readdirSync(folder).sort()).toEqual(['journal.jsonl', 'pictures']);
          expect(readdirSync(join(folder, 'pictures'))).toEqual([`a.${format}`]);
        } finally {
          rmSync(folder, { recursive: true });
        }
      }),
      { numRuns: 40 },
    );
    expect(tagged).toBeGreaterThanOrEqual(40);
  });
});

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a;
}
