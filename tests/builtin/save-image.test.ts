import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createOutputFolder } from '../../bridge/local/output-folder.ts';
import { previewMark } from '../../nodes/builtin/save-prefix.ts';
import { decodePixels } from '../../nodes/formats/pixels.ts';
import { readPng } from '../../nodes/formats/png.ts';
import { parseExactJson } from '../../nodes/kit/exact-json.ts';
import type { Host } from '../../nodes/kit/host.ts';
import type { Pixels } from '../../nodes/kit/values.ts';
import { runBuiltin } from './run-node.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lineage-builtin-'));
});
afterEach(() => rm(root, { recursive: true }));

/** Writes into the folder of this test. */
function disk(more: Partial<Host> = {}): Partial<Host> {
  const [output, temp] = [createOutputFolder(join(root, 'output')), createOutputFolder(join(root, 'temp'))];
  return {
    writeOutput: (request) => (request.folder === 'temp' ? temp : output).writeOutput(request),
    ...more,
  };
}

const grey = (value: number): Pixels => ({
  width: 4,
  height: 2,
  channels: 3,
  data: new Float32Array(24).fill(value),
});

/** The first sample and the texts of a saved picture. */
async function readBack(folder: string, subfolder: string, name: string) {
  const bytes = new Uint8Array(await readFile(join(root, folder, subfolder, name)));
  const texts = Object.fromEntries(readPng(bytes).texts.map(({ keyword, text }) => [keyword, text]));
  return { sample: (await decodePixels(bytes)).data[0], texts };
}

describe('SaveImage', () => {
  test('cuts samples off, counts up, and says where the files lie', async () => {
    const images = [grey(0.5), grey(0.1), grey(0.25)];
    const prefix = 'a/%year%-%width%x%height%';
    const { ui } = await runBuiltin('SaveImage', { images, filename_prefix: prefix }, disk());
    const names = [1, 2, 3].map((n) => `2026-4x2_0000${n}_.png`);
    expect(ui).toEqual({
      images: names.map((filename) => ({ filename, subfolder: 'a', type: 'output' })),
    });
    const samples = await Promise.all(names.map((name) => readBack('output', 'a', name)));
    expect(samples.map(({ sample }) => sample)).toEqual([127, 25, 63]);
    const more = await runBuiltin('SaveImage', { images: [grey(1)], filename_prefix: prefix }, disk());
    expect(more.ui?.['images']).toMatchObject([{ filename: '2026-4x2_00004_.png' }]);
  });

  test('%batch_num% is the number in the batch; nothing is replaced', async () => {
    const images = [grey(0), grey(1)];
    const inputs = { images, filename_prefix: 'n%batch_num%' };
    await runBuiltin('SaveImage', inputs, disk());
    await runBuiltin('SaveImage', inputs, disk());
    const names = (await readdir(join(root, 'output'))).toSorted();
    expect(names).toEqual(['n0_00001_.png', 'n0_00002_.png', 'n1_00001_.png', 'n1_00002_.png']);
  });

  test('the graph and each key that the client sent are texts; numbers keep their spelling', async () => {
    const prompt = parseExactJson(
      '{"1":{"class_type":"é","inputs":{"seed":18446744073709551615,"cfg":8.0}}}',
      fail,
    );
    const extraPnginfo = { workflow: { nodes: [] }, note: 'x', ['__proto__']: 1 };
    const inputs = { images: [grey(0)], filename_prefix: 'p' };
    await runBuiltin('SaveImage', inputs, disk({ prompt, extraPnginfo }));
    const { texts } = await readBack('output', '', 'p_00001_.png');
    expect(texts).toEqual({
      prompt: '{"1":{"class_type":"\\u00e9","inputs":{"seed":18446744073709551615,"cfg":8.0}}}',
      workflow: '{"nodes":[]}',
      note: '"x"',
      ['__proto__']: '1',
    });
  });

  test('no texts where the owner wants none', async () => {
    const host = disk({ prompt: {}, extraPnginfo: { workflow: {} }, disableMetadata: true });
    await runBuiltin('SaveImage', { images: [grey(0)], filename_prefix: 'p' }, host);
    expect((await readBack('output', '', 'p_00001_.png')).texts).toEqual({});
  });

  test.each(['../out', '/tmp/out', 'a/../../out', 'C:\\out'])(
    'the prefix %s does not lead out',
    async (prefix) => {
      const saving = runBuiltin('SaveImage', { images: [grey(0)], filename_prefix: prefix }, disk());
      await expect(saving).rejects.toMatchObject({ code: 'output/outside' });
    },
  );

  test('an interrupt ends it between two pictures', async () => {
    const stop = new AbortController();
    const { writeOutput } = disk();
    const host: Partial<Host> = {
      signal: stop.signal,
      async writeOutput(request) {
        stop.abort();
        return (await writeOutput?.(request)) ?? '';
      },
    };
    const inputs = { images: [grey(0), grey(1)], filename_prefix: 'p' };
    await expect(runBuiltin('SaveImage', inputs, host)).rejects.toThrow('aborted');
    expect(await readdir(join(root, 'output'))).toEqual(['p_00001_.png']);
  });
});

function fail(): never {
  throw new Error('expected exact JSON without warnings');
}

describe('previews', () => {
  test('PreviewImage writes into the folder for temporary files', async () => {
    const { ui } = await runBuiltin('PreviewImage', { images: [grey(0.5)] }, disk({ prompt: {} }));
    const [saved] = (ui?.['images'] ?? []) as { filename: string; type: string }[];
    expect(saved).toMatchObject({ type: 'temp', subfolder: '' });
    expect(saved?.filename).toMatch(/^ComfyUI_temp_[a-z]{5}_00001_\.png$/);
    expect(await readBack('temp', '', saved?.filename ?? '')).toEqual({
      sample: 127,
      texts: { prompt: '{}' },
    });
  });

  test('MaskPreview shows a mask as grey, and says that it stands still', async () => {
    const mask = [{ ...grey(0.5), channels: 1, data: new Float32Array(8).fill(0.25) }];
    const { ui } = await runBuiltin('MaskPreview', { mask }, disk());
    expect(ui?.['animated']).toEqual([false]);
    const [saved] = (ui?.['images'] ?? []) as { filename: string }[];
    expect((await readBack('temp', '', saved?.filename ?? '')).sample).toBe(63);
  });

  test('the letters in their names come of the node and the moment', () => {
    const now = new Date(2026, 0, 1);
    const marks = ['1', '2', '1:2'].map((id) => previewMark(id, now));
    expect(new Set([...marks, previewMark('1', new Date(2026, 0, 2))]).size).toBe(4);
    expect(previewMark('1', now)).toBe(marks[0]);
  });
});
