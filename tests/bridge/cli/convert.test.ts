import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pngChunks, putImage, putJson, textChunk, withChunks } from './pictures.ts';
import { documentOf, expectFailure, lineage, newFolder } from './run.ts';

const CASES = new URL('../../../fixtures/workflows/', import.meta.url);
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, CASES), 'utf8'));
const SEED = '18446744073709551615';

describe('lineage convert', () => {
  test('writes the prompt graph, under a free name', async () => {
    const folder = newFolder();
    putJson(folder, 'w.json', JSON.stringify(read('bypass-and-mute/workflow.json')));
    const ended = await lineage(folder, ['convert', 'w.json', '--out', 'p.json']);
    expect(ended.status).toBe(0);
    expect(ended.stdout).toBe('p.json: 13 nodes\n');
    expect(ended.stderr).toMatch(/^warning \[workflow\/muted\] 16\.image: /m);
    expect(JSON.parse(readFileSync(join(folder, 'p.json'), 'utf8'))).toEqual(
      read('bypass-and-mute/prompt.json'),
    );
    await expectFailure(folder, ['convert', 'w.json', '--out', 'p.json'], {
      status: 1,
      code: 'output/exists',
    });
    const again = await lineage(folder, ['convert', 'w.json', '--out', 'p.json', '--force', '--json']);
    expect(documentOf(again)).toMatchObject({
      out: 'p.json',
      nodes: 13,
      warnings: [{ code: 'workflow/muted', where: '16.image' }, { code: 'workflow/muted' }],
    });
  });

  test('knows the classes of another server, and keeps what a double cannot hold', async () => {
    const folder = newFolder();
    const classes = {
      Mine: { input: { required: { seed: ['INT', {}], scale: ['FLOAT', {}] } }, output: [] },
    };
    putJson(folder, 'info.json', JSON.stringify(classes));
    const mine =
      '{"nodes": [{"id": 1, "type": "Mine", "widgets_values": [SEED, "fixed", 8.0]}], "links": []}';
    putJson(folder, 'w.json', mine.replace('SEED', SEED));
    const known = await lineage(folder, [
      'convert',
      'w.json',
      '--out',
      'p.json',
      '--object-info',
      'info.json',
    ]);
    expect(known).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(folder, 'p.json'), 'utf8')).toMatch(
      new RegExp(`"seed": ${SEED},\\s+"scale": 8\\.0\\s`),
    );
    const { stderr } = await lineage(folder, ['convert', 'w.json', '--out', 'q.json']);
    expect(stderr).toContain('no class Mine is known');
  });

  test('takes the workflow of a picture, a pair and a request, and says where there is none', async () => {
    const folder = newFolder();
    const workflow = read('texts/workflow.json');
    putJson(folder, 'pair.json', JSON.stringify({ prompt: {}, workflow }));
    putJson(
      folder,
      'request.json',
      JSON.stringify({ prompt: {}, extra_data: { extra_pnginfo: { workflow } } }),
    );
    const plain = await putImage(folder, 'a.png', 'png');
    writeFileSync(
      join(folder, 'w.png'),
      withChunks(plain, [textChunk('workflow', JSON.stringify(workflow))]),
    );
    for (const name of ['pair.json', 'request.json', 'w.png']) {
      const ended = await lineage(folder, ['convert', name, '--out', `${name}.out`]);
      expect(ended.status).toBe(0);
      expect(Object.keys(JSON.parse(readFileSync(join(folder, `${name}.out`), 'utf8')))).toEqual(
        Object.keys(Object(read('texts/prompt.json'))),
      );
    }
    putJson(folder, 'prompt.json', JSON.stringify(read('texts/prompt.json')));
    for (const name of ['prompt.json', 'a.png']) {
      await expectFailure(folder, ['convert', name, '--out', 'x'], { status: 1, code: 'workflow/malformed' });
    }
    await expectFailure(folder, ['convert', 'pair.json', '--out', 'x', '--object-info', 'pair.json'], {
      status: 1,
      code: 'workflow/object-info',
    });
  });

  test('replaces a date in the name of a file that is to be queued', async () => {
    const folder = newFolder();
    const save = { id: 1, type: 'SaveImage', widgets_values: ['%date:yyyy%/x'] };
    putJson(folder, 'w.json', JSON.stringify({ nodes: [save], links: [] }));
    await lineage(folder, ['convert', 'w.json', '--out', 'p.json']);
    expect(readFileSync(join(folder, 'p.json'), 'utf8')).toMatch(/"filename_prefix": "20\d\d\/x"/);
  });
});

describe('a workflow without its prompt graph', () => {
  /** A picture that carries the workflow alone. */
  async function putPicture(folder: string, name: string): Promise<void> {
    const plain = await putImage(folder, 'plain.png', 'png');
    const workflow = JSON.stringify(read(`${name}/workflow.json`));
    writeFileSync(join(folder, 'w.png'), withChunks(plain, [textChunk('workflow', workflow)]));
  }

  test('is converted for trace, explain and tag, which say so', async () => {
    const folder = newFolder();
    await putPicture(folder, 'control-spellings');
    for (const command of ['trace', 'explain']) {
      const ended = await lineage(folder, [command, 'w.png', '--json']);
      expect(ended.status).toBe(0);
      expect(ended.stderr).toMatch(/workflow\/converted.* w\.png: /);
      expect(documentOf(ended)).toMatchObject({
        parameters: expect.stringMatching(/^dunes\nNegative prompt: sand\nSteps: 20, /),
      });
    }
    const tagged = await lineage(folder, ['tag', 'w.png', '--out', 't.png']);
    expect(tagged.status).toBe(0);
    const chunks = pngChunks(readFileSync(join(folder, 't.png')));
    const texts = chunks.map(({ data }) => Buffer.from(data).toString('latin1'));
    expect(texts.some((text) => text.startsWith('parameters\0') && text.includes('Seed: 11'))).toBe(true);
    expect(texts.some((text) => text.startsWith('prompt\0') && text.includes('"KSampler"'))).toBe(true);
  });

  test('has its texts as they were queued: braces in them were meant', async () => {
    const folder = newFolder();
    await putPicture(folder, 'texts');
    const { stdout } = await lineage(folder, ['trace', 'w.png']);
    expect(stdout).toContain('{storm}');
    writeFileSync(join(folder, 'w.json'), JSON.stringify(read('texts/workflow.json')));
    const edited = await lineage(folder, ['trace', 'w.json']);
    expect(edited.stdout).toContain('a boat  on {calm} water');
    expect(edited.stdout).not.toContain('{storm}');
  });
});
