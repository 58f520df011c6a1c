import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toManifest } from '../../../bridge/comfyui/manifest.ts';
import { testNodes } from './test-nodes.ts';

/** A Python with ComfyUI's packages: LINEAGE_COMFYUI_PYTHON, else the one on PATH if it has them. */
const python = process.env['LINEAGE_COMFYUI_PYTHON'] ?? 'python3';
const has = (packages: string): boolean => spawnSync(python, ['-c', `import ${packages}`]).status === 0;
const isReady = has('aiohttp, numpy, PIL, torch');
if (!isReady)
  console.warn(
    `the Python side is not tested: ${python} lacks one of aiohttp, numpy, PIL and torch (LINEAGE_COMFYUI_PYTHON names another)`,
  );

const folder = mkdtempSync(join(tmpdir(), 'lineage-shim-'));
const manifest = join(folder, 'manifest.json');
beforeAll(() => writeFileSync(manifest, JSON.stringify(toManifest(testNodes))));
afterAll(() => rmSync(folder, { recursive: true }));

test.runIf(isReady)('the Python side against the true bridge (test_shim.py)', { timeout: 300_000 }, () => {
  const { status, stderr } = spawnSync(python, ['-m', 'unittest', '-q', 'test_shim'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    timeout: 240_000,
    env: { ...process.env, LINEAGE_TEST_MANIFEST: manifest, PYTHONDONTWRITEBYTECODE: '1' },
  });
  expect(status, stderr).toBe(0);
  expect(stderr).toMatch(/Ran [4-7]\d tests/);
});
