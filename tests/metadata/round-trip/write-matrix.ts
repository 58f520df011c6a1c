/**
 * `node tests/metadata/round-trip/write-matrix.ts [--check]`: writes `fixtures/texts/matrix.md` anew, or only says whether it
 * is right. Needs exiftool, and Python with Pillow as LINEAGE_PYTHON.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cellsOf } from './cells.ts';
import { judge } from './exceptions.ts';
import { MATRIX, renderMatrix } from './matrix.ts';
import { outsideReaders } from './outside-readers.ts';
import { writePictures } from './write-pictures.ts';

const missing = outsideReaders.filter(({ available }) => !available).map(({ name }) => name);
if (missing.length > 0) throw new Error(`the matrix needs every reader; not there: ${missing.join(', ')}`);

const folder = mkdtempSync(join(tmpdir(), 'lineage-matrix-'));
try {
  const cells = await cellsOf(await writePictures(folder));
  const wrong = judge(cells);
  for (const one of wrong) process.stdout.write(`${one}\n`);
  const matrix = renderMatrix(cells);
  process.stdout.write(matrix);
  if (!process.argv.includes('--check')) writeFileSync(MATRIX, matrix);
  else if (readFileSync(MATRIX, 'utf8') !== matrix)
    throw new Error('fixtures/texts/matrix.md is not up to date');
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
