import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mountTemporary } from '../merge/mount-temporary.ts';
import { f32, writeModel } from '../merge/small-models.ts';
import { drawModel, filesIn, SD15, writeExampleModels } from '../pipeline/models.ts';
import { documentOf, expectFailure, lineage, newFolder } from './run.ts';

const A = 'realistic_base_v1.safetensors';
const B = 'photorealism_v2.safetensors';
const C = 'anime_style_v1.safetensors';

function modelFolder(): string {
  const folder = newFolder();
  writeExampleModels(folder);
  return folder;
}

const STEPS = {
  pipeline: {
    name: 'Two steps',
    steps: [
      {
        id: 'one',
        type: 'merge',
        models: [
          { path: A, weight: 0.6 },
          { path: B, weight: 0.4 },
        ],
      },
      {
        id: 'two',
        type: 'merge',
        models: [
          { step: 'one', weight: 0.5 },
          { path: C, weight: 0.5 },
        ],
        output: 'two.safetensors',
      },
    ],
  },
};

/** A folder with models and a manifest `steps.json`. */
function withManifest(manifest: unknown): string {
  const folder = modelFolder();
  writeFileSync(join(folder, 'steps.json'), JSON.stringify(manifest, undefined, 2));
  return folder;
}

describe('merge', () => {
  test('tells of positions that were set, and of rows that were not merged', async () => {
    const folder = newFolder();
    const positions = 'cond_stage_model.transformer.text_model.embeddings.position_ids';
    for (const [name, rows] of [
      ['a', 2],
      ['b', 3],
    ] as const)
      writeModel(
        join(folder, `${name}.safetensors`),
        new Map([
          ['model.embed_tokens.weight', f32([rows, 2], new Float32Array(2 * rows))],
          [positions, f32([1, 77], new Float32Array(77))],
        ]),
      );
    const options = ['--model', 'a.safetensors', '--model', 'b.safetensors', '--out', 'm.safetensors'];
    const { status, stdout, stderr } = await lineage(folder, ['merge', ...options]);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain(`positions set to 0 and on, not merged: ${positions}`);
    expect(stdout).toContain('b.safetensors: the first 2 of 3 rows of model.embed_tokens.weight were merged');
  });

  test('plain arguments and the same as a manifest give the same tensors', async () => {
    const folder = modelFolder();
    writeFileSync(
      join(folder, 'single.yaml'),
      `models:\n  - {path: ${A}, weight: 0.6}\n  - {path: ${B}, weight: 0.4}\noutput: {path: m.safetensors, precision: bf16}\n`,
    );
    const plain = await lineage(folder, [
      'merge',
      '--model',
      `${A}=0.6`,
      '--model',
      `${B}=0.4`,
      '--dtype',
      'bf16',
      '--out',
      'p.safetensors',
      '--json',
    ]);
    expect(plain.status, plain.stderr).toBe(0);
    const written = await lineage(folder, ['merge', '--manifest', 'single.yaml', '--json']);
    expect(written.status, written.stderr).toBe(0);
    const [one, two] = [plain, written].map(
      (ended) => documentOf(ended)['steps'] as readonly { dataSha256: string; outcome: string }[],
    );
    expect(one?.[0]?.outcome).toBe('made');
    expect(one?.[0]?.dataSha256).toEqual(two?.[0]?.dataSha256);
  });

  test.each([
    [
      'a wrong path',
      ['--model', 'nope.safetensors', '--model', B],
      'file/missing',
      /nope\.safetensors.*no file of this name/,
    ],
    [
      'a picture',
      ['--model', 'image.safetensors', '--model', B],
      'safetensors/malformed',
      /got a PNG picture/,
    ],
    ['a pickle', ['--model', 'model.ckpt', '--model', B], 'weights/pickle', /pickle/i],
    [
      'an empty file',
      ['--model', 'empty.safetensors', '--model', B],
      'safetensors/malformed',
      /got an empty file/,
    ],
    ['a text', ['--model', 'notes.txt', '--model', B], 'safetensors/malformed', /got a text file/],
    [
      'SDXL with SD1.5',
      ['--model', A, '--model', 'sd15.safetensors'],
      'pipeline/architecture',
      /realistic_base_v1\.safetensors is SDXL, got sd15\.safetensors, which is SD1\.5/,
    ],
    [
      'an unknown method',
      ['--model', A, '--model', B, '--method', 'slurp'],
      'merge/unknown-method',
      /did you mean slerp/,
    ],
    [
      'an unknown parameter',
      ['--model', A, '--model', B, '--method', 'slerp', '--param', 'q=1'],
      'merge/parameter',
      /parameter named .*t/,
    ],
    [
      'a method with too many models',
      ['--model', A, '--model', B, '--model', C, '--method', 'slerp'],
      'pipeline/method',
      /2 models for slerp, got 3/,
    ],
  ])('%s is said and leaves nothing', async (_, args, code, says) => {
    const folder = modelFolder();
    writeFileSync(join(folder, 'image.safetensors'), Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'));
    writeFileSync(join(folder, 'model.ckpt'), Buffer.from('80027d7100580500000073746174657101', 'hex'));
    writeFileSync(join(folder, 'empty.safetensors'), '');
    writeFileSync(join(folder, 'notes.txt'), 'What to merge next: a lot of models, all of them at once.');
    writeModel(join(folder, 'sd15.safetensors'), drawModel(SD15, 5));
    await expectFailure(folder, ['merge', ...args, '--out', 'm.safetensors'], { status: 1, code, says });
  });

  test('an output that is an input is refused, also through a link', async () => {
    const folder = modelFolder();
    symlinkSync(join(folder, A), join(folder, 'link.safetensors'));
    const models = ['--model', A, '--model', B];
    for (const out of [A, 'link.safetensors'])
      await expectFailure(folder, ['merge', ...models, '--out', out], {
        status: 1,
        code: 'pipeline/output-is-input',
      });
  });

  test.each([
    ['no model', ['--out', 'm.safetensors'], 'option/invalid', /expected a model/],
    ['no output', ['--model', A], 'option/invalid', /file to write/],
    [
      'a weight that is none',
      ['--model', `${A}=half`, '--out', 'm.safetensors'],
      'option/invalid',
      /a number as weight, got "half"/,
    ],
    [
      'an unknown precision',
      ['--model', A, '--dtype', 'fp17', '--out', 'm.safetensors'],
      'option/invalid',
      /fp16/,
    ],
    [
      'a size that is none',
      ['--model', A, '--memory', 'much', '--out', 'm.safetensors'],
      'option/invalid',
      /512M/,
    ],
    ['two ways at once', ['--manifest', 'x.json', '--model', A], 'option/conflict', /got both/],
  ])('%s is a mistake of usage', async (_, args, code, says) => {
    await expectFailure(modelFolder(), ['merge', ...args], { status: 2, code, says });
  });

  test('--list-methods tells parameters and their ranges', async () => {
    const { status, stdout } = await lineage(newFolder(), ['merge', '--list-methods', '--method', 'slerp']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^slerp .*2 models[\s\S]* t: /);
  });
});

describe('pipeline', () => {
  test('a model that fails what a step asks of it is a finding: all is done, and the status says so', async () => {
    const folder = withManifest({
      pipeline: {
        steps: [{ id: 'check', type: 'validate', model: { path: 'odd.safetensors' }, checks: ['structure'] }],
      },
    });
    writeModel(
      join(folder, 'odd.safetensors'),
      new Map([['alone.weight', { dtype: 'U8', shape: [1], bytes: new Uint8Array(1) }]]),
    );
    const ended = await lineage(folder, ['pipeline', '--manifest', 'steps.json', '--json']);
    expect(ended.status, ended.stderr).toBe(4);
    expect(documentOf(ended)['steps']).toMatchObject([
      { id: 'check', found: { scores: { outcome: 'failed' } } },
    ]);
  });

  test('a dry run writes nothing and tells the bytes of the run within 1 %', async () => {
    const folder = withManifest(STEPS);
    const before = filesIn(folder);
    const planned = documentOf(
      await lineage(folder, ['pipeline', '--manifest', 'steps.json', '--dry-run', '--json']),
    );
    expect(filesIn(folder)).toEqual(before);
    const made = documentOf(await lineage(folder, ['pipeline', '--manifest', 'steps.json', '--json']));
    expect(planned['writeBytes']).toBe(made['writtenBytes']);
    expect(filesIn(folder)).toEqual([...before, 'two.safetensors'].sort());
    // One step reads two models; the next one its result and a third.
    const sizes = [A, B, C].map((name) => readFileSync(join(folder, name)).length);
    const steps = planned['steps'] as readonly { writeBytes: number }[];
    const read = sizes.reduce((sum, size) => sum + size, steps[0]?.writeBytes ?? 0);
    expect(Math.abs(Number(planned['readBytes']) - read) / read).toBeLessThan(0.01);
  });

  test.each([
    [
      'an unknown key',
      { models: [{ path: A, weigth: 0.5 }], output: 'x.safetensors' },
      'pipeline/malformed',
      /perhaps "weight"/,
    ],
    [
      'an unknown type',
      { pipeline: { steps: [{ id: 'a', type: 'marge' }] } },
      'pipeline/malformed',
      /perhaps "merge"/,
    ],
    [
      'a circle',
      {
        pipeline: {
          steps: [
            { id: 'a', type: 'convert', model: { step: 'b' } },
            { id: 'b', type: 'convert', model: { step: 'a' }, output: 'x.safetensors' },
          ],
        },
      },
      'pipeline/cycle',
      /a -> b -> a/,
    ],
    [
      'a step that is not there',
      {
        pipeline: {
          steps: [{ id: 'base', type: 'convert', model: { step: 'bose' }, output: 'x.safetensors' }],
        },
      },
      'pipeline/unknown-step',
      /"bose"/,
    ],
    [
      'an architecture that it is not',
      { models: [{ path: A, architecture: 'SD1.5' }], output: 'x.safetensors' },
      'pipeline/architecture',
      /expected SD1\.5, got SDXL/,
    ],
  ])('%s is said and leaves nothing', async (_, manifest, code, says) => {
    const args = ['pipeline', '--manifest', 'steps.json'];
    await expectFailure(withManifest(manifest), args, { status: 1, code, says });
  });

  test.each([
    ['JSON', 'steps.json', '{\n  "pipeline": {,}\n}', /line 2, column 16/],
    ['YAML', 'steps.yaml', 'pipeline:\n  steps: [\n', /YAML in line 3/],
    ['a key that comes twice', 'steps.json', '{"pipeline": {}, "pipeline": {}}', /line 1, column 18/],
    ['no text', 'steps.json', Buffer.from([0, 1, 2]), /no text/],
    ['a tag', 'steps.yaml', 'pipeline:\n  steps: !mine []\n', /YAML in line 2, column 10.*!mine/],
    ['a second document', 'steps.yaml', 'a: 1\n---\nb: 1\n', /one YAML document, ended in line 2/],
    [
      'a path with NUL',
      'steps.json',
      JSON.stringify({ models: [{ path: 'a\0b' }], output: 'x' }),
      /models\[0\]\.path: expected a path without NUL/,
    ],
  ])('%s that is wrong is told with its place', async (_, name, text, says) => {
    const folder = newFolder();
    writeFileSync(join(folder, name), text);
    await expectFailure(folder, ['pipeline', '--manifest', name], {
      status: 1,
      code: 'pipeline/malformed',
      says,
    });
  });

  test('a ledger that cannot be used is a warning of the document too', async () => {
    const folder = modelFolder();
    writeFileSync(join(folder, 'home'), 'no folder');
    const env = { LINEAGE_HOME: join(folder, 'home') };
    const args = ['merge', '--model', A, '--model', B, '--out', 'x.safetensors', '--json'];
    const ended = await lineage(folder, args, { env });
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('warning [ledger/unusable]');
    expect(documentOf(ended)['warnings']).toEqual([
      expect.objectContaining({ level: 'warning', code: 'ledger/unusable', where: env.LINEAGE_HOME }),
    ]);
  });

  test('a missing manifest, and one of the two modes', async () => {
    const folder = withManifest(STEPS);
    await expectFailure(folder, ['pipeline', '--manifest', 'no.json'], { status: 1, code: 'file/missing' });
    const both = ['pipeline', '--manifest', 'steps.json', '--staged', '--fused'];
    await expectFailure(folder, both, { status: 2, code: 'option/conflict' });
  });

  test('--from-step names what is missing', async () => {
    const args = ['pipeline', '--manifest', 'steps.json', '--from-step', 'two'];
    await expectFailure(withManifest(STEPS), args, {
      status: 1,
      code: 'pipeline/from-step',
      says: /"one", got none/,
    });
  });

  test('plan diff tells what changed, and what is made again for it', async () => {
    const folder = withManifest(STEPS);
    const [one, two] = STEPS.pipeline.steps;
    const changed = {
      ...one,
      models: [
        { path: A, weight: 0.7 },
        { path: B, weight: 0.3 },
      ],
    };
    writeFileSync(join(folder, 'other.json'), JSON.stringify({ pipeline: { steps: [changed, two] } }));
    const { stdout, stderr } = await lineage(folder, ['plan', 'diff', 'steps.json', 'other.json']);
    expect(stdout, stderr).toMatch(/step "one": models\[0\]\.weight was 0\.6, is 0\.7/);
    expect(stdout).toMatch(/step "two" is made again/);
  });
});

/** What a command that must fail says. */
async function refusal(folder: string, args: readonly string[]) {
  const ended = await lineage(folder, [...args, '--json']);
  return { status: ended.status, error: documentOf(ended)['error'] };
}

describe('what is there already', () => {
  const two = ['merge', '--model', `${A}=0.6`, '--model', `${B}=0.4`, '--out'];

  test('a file that no merge made stays, unless --force is given; a result is made anew', async () => {
    const folder = modelFolder();
    writeFileSync(join(folder, 'notes.txt'), 'a novel');
    await expectFailure(folder, [...two, 'notes.txt'], { status: 1, code: 'output/exists' });
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('a novel');
    const forced = await lineage(folder, [...two, 'notes.txt', '--force']);
    expect(forced.status, forced.stderr).toBe(0);
    const other = await lineage(folder, ['merge', '--model', A, '--model', C, '--out', 'notes.txt']);
    expect(other.status, other.stderr).toBe(0);
  });

  test('a manifest is not its own output, and nothing of others lies in the way of temporary files', async () => {
    const own = { models: [{ path: A }, { path: B }], output: 'steps.json' };
    await expectFailure(withManifest(own), ['merge', '--manifest', 'steps.json'], {
      status: 1,
      code: 'output/exists',
    });
    const folder = withManifest(STEPS);
    mkdirSync(join(folder, 'temp', 'steps'), { recursive: true });
    writeFileSync(join(folder, 'temp', 'steps', 'one.safetensors'), 'precious');
    const run = ['pipeline', '--manifest', 'steps.json', '--force'];
    await expectFailure(folder, run, { status: 1, code: 'output/exists' });
  });

  test.runIf(process.platform !== 'win32')('a pipe or a folder is never replaced', async () => {
    const folder = modelFolder();
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    mkdirSync(join(folder, 'out.safetensors'));
    for (const out of ['pipe', 'out.safetensors'])
      await expectFailure(folder, [...two, out, '--force'], { status: 3, code: 'file/unwritable' });
  });

  test.runIf(process.platform !== 'win32')('a dry run is refused where the run itself would be', async () => {
    const folder = modelFolder();
    mkdirSync(join(folder, 'folder.safetensors'));
    writeFileSync(join(folder, 'notes.txt'), 'a novel');
    for (const [out, code, status] of [
      ['folder.safetensors', 'file/unwritable', 3],
      ['notes.txt', 'output/exists', 1],
      ['notes.txt/below/out.safetensors', 'file/unwritable', 3],
    ] as const) {
      const said = await Promise.all(
        [[], ['--dry-run']].map((dry) => refusal(folder, [...two, out, ...dry])),
      );
      expect(said[0]).toMatchObject({ status, error: { code, where: { file: join(folder, out) } } });
      expect(said[1]).toEqual(said[0]);
    }
    const forced = await lineage(folder, [...two, 'notes.txt', '--force', '--dry-run']);
    expect(forced.status, forced.stderr).toBe(0);
    const missing = await lineage(folder, [...two, 'new/folders/out.safetensors', '--dry-run']);
    expect(missing.status, missing.stderr).toBe(0);
    expect(filesIn(folder).filter((file) => /tmp|new/.test(file))).toEqual([]);
  });

  test('a disk that nobody may write to is refused before a byte is read, and what is there is found', async ({
    skip,
  }) => {
    const folder = modelFolder();
    const disk = join(folder, 'disk');
    skip(!mountTemporary(disk, '4m'), 'needs the right to mount');
    try {
      expect((await lineage(folder, [...two, 'disk/there.safetensors'])).status).toBe(0);
      execFileSync('mount', ['-o', 'remount,ro', disk]);
      const cached = await lineage(folder, [...two, 'disk/there.safetensors', '--json']);
      expect(cached.status, cached.stderr).toBe(0);
      expect(documentOf(cached)['steps']).toMatchObject([{ outcome: 'cached' }]);
      const said = await Promise.all(
        [[], ['--dry-run']].map((dry) => refusal(folder, [...two, 'disk/new/out.safetensors', ...dry])),
      );
      expect(said[0]).toMatchObject({
        status: 3,
        error: { code: 'file/unwritable', message: expect.stringContaining('EROFS') },
      });
      expect(said[1]).toEqual(said[0]);
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });

  test('weights that a method does not take, or that no float32 holds, are refused', async () => {
    const folder = modelFolder();
    const slerp = [
      'merge',
      '--method',
      'slerp',
      '--model',
      `${A}=0.3`,
      '--model',
      B,
      '--out',
      'x.safetensors',
    ];
    await expectFailure(folder, slerp, { status: 1, code: 'pipeline/method', says: /slerp/ });
    const huge = ['merge', '--model', `${A}=1e300`, '--model', B, '--out', 'x.safetensors'];
    await expectFailure(folder, huge, { status: 1, code: 'merge/weights', says: /float32/ });
  });
});

describe('a merged file', () => {
  test('whose recipe names files of the machine is not rebuilt', async () => {
    const folder = modelFolder();
    const made = ['merge', '--model', A, '--model', B, '--out', 'mix.safetensors'];
    expect((await lineage(folder, made)).status).toBe(0);
    const victim = join(folder, 'victim.txt');
    writeFileSync(victim, 'keys');
    const bytes = readFileSync(join(folder, 'mix.safetensors'));
    const length = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
    for (const path of [victim, '../victim.txt', 'temp/../../victim.txt', 'temp/..']) {
      const record = JSON.parse(header['__metadata__']['lineage']);
      record.recipe.pipeline.steps[0].output.path = path;
      const evil = {
        ...header,
        __metadata__: { ...header['__metadata__'], lineage: JSON.stringify(record) },
      };
      const text = Buffer.from(JSON.stringify(evil));
      const size = Buffer.alloc(8);
      size.writeBigUInt64LE(BigInt(text.length));
      writeFileSync(
        join(folder, 'evil.safetensors'),
        Buffer.concat([size, text, bytes.subarray(8 + length)]),
      );
      await expectFailure(
        folder,
        ['rebuild', 'evil.safetensors', '--models', '.', '--out', 'out.safetensors'],
        {
          status: 1,
          code: 'path/outside',
        },
      );
    }
    expect(readFileSync(victim, 'utf8')).toBe('keys');
  });

  test('tells its family, and is made again from sources under other names', async () => {
    const folder = withManifest(STEPS);
    await lineage(folder, ['pipeline', '--manifest', 'steps.json']);
    const tree = await lineage(folder, ['explain', 'two.safetensors']);
    expect(tree.stdout, tree.stderr).toMatch(
      /two\.safetensors.*step two[\s\S]*0\.6 +realistic_base_v1[\s\S]*0\.5 +anime/,
    );

    await lineage(folder, [
      'merge',
      '--model',
      `two.safetensors=0.5`,
      '--model',
      `${B}=0.5`,
      '--out',
      'child.safetensors',
    ]);
    const grown = await lineage(folder, ['explain', 'child.safetensors']);
    expect(grown.stdout).toMatch(/child[\s\S]*two\.safetensors[\s\S]*realistic_base_v1/);

    const sources = newFolder();
    [A, B, C].forEach((name, at) => {
      writeFileSync(join(sources, `renamed-${at}.safetensors`), readFileSync(join(folder, name)));
    });
    const rebuild = ['rebuild', 'two.safetensors', '--models', sources, '--out', 'again.safetensors'];
    const made = await lineage(folder, rebuild);
    expect(made.status, made.stderr).toBe(0);
    expect(
      readFileSync(join(folder, 'again.safetensors')).equals(readFileSync(join(folder, 'two.safetensors'))),
    ).toBe(true);

    // A file that says another hash than its recipe gives: what stands in the place of the output stays there.
    const told = readFileSync(join(folder, 'two.safetensors'), 'latin1');
    const lie = told.replace(
      /("modelspec\.hash_sha256":"0x)(.)/,
      (_, key, digit) => key + (digit === '0' ? '1' : '0'),
    );
    writeFileSync(join(folder, 'lie.safetensors'), lie, 'latin1');
    writeFileSync(join(folder, 'old.safetensors'), 'precious');
    const other = await lineage(folder, [
      'rebuild',
      'lie.safetensors',
      '--models',
      sources,
      '--out',
      'old.safetensors',
      '--force',
      '--json',
    ]);
    expect(other.status).toBe(1);
    expect(documentOf(other)['error']).toMatchObject({ code: 'rebuild/differs' });
    expect(readFileSync(join(folder, 'old.safetensors'), 'utf8')).toBe('precious');

    rmSync(join(folder, 'again.safetensors'));
    rmSync(join(sources, 'renamed-1.safetensors'));
    await expectFailure(folder, rebuild, {
      status: 1,
      code: 'rebuild/sources',
      says: /photorealism_v2\.safetensors/,
    });
    const source = ['rebuild', A, '--models', sources, '--out', 'again.safetensors'];
    await expectFailure(folder, source, { status: 1, code: 'rebuild/no-record' });
    await expectFailure(folder, ['explain', A], { status: 1, code: 'explain/no-recipe' });
  });
});
