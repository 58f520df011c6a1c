import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { areInstalled, CLIENTS, clientGraph } from './run-clients.ts';
import { startTestRuntime, type TestRuntime } from './start-runtime.ts';

const HOW = 'npm ci --prefix tests/conformance/clients --ignore-scripts';
if (!areInstalled) {
  if (process.env['LINEAGE_REQUIRE_PEERS'] === '1')
    throw new Error(`the npm clients are required here: ${HOW}`);
  console.warn(`skipped: tests that need the npm clients, which are not installed: ${HOW}`);
}

let runtime: TestRuntime;
beforeAll(async () => {
  runtime = await startTestRuntime();
});
afterAll(() => runtime?.close());

const COLORS: readonly number[] = [0x112233, 0x445566, 0x778899];

test.skipIf(!areInstalled).each(Object.keys(CLIENTS).map((name, index) => [name, index] as const))(
  '%s, unmodified, runs a prompt, follows its progress and fetches the picture',
  async (name, index) => {
    const color = COLORS[index] ?? 0;
    const { picture, progress } = (await CLIENTS[name]?.(runtime.url, clientGraph(color))) ?? {};
    expect(progress?.length).toBeGreaterThan(0);
    expect(progress?.at(-1)).toMatch(/\/0\.5$/);
    // Byte for byte the file that was saved, and the colour that was asked for.
    const file = `client_${String(index + 1).padStart(5, '0')}_.png`;
    expect(picture?.equals(runtime.readOutput(file))).toBe(true);
    const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([32, 16, 3]);
    expect([...data.subarray(0, 3)]).toEqual([color >> 16, (color >> 8) & 255, color & 255]);
  },
);
