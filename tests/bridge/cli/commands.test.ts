import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exampleGraph, putImage, putJson } from './pictures.ts';
import { documentOf, EXAMPLES, expectFailure, lineage, listOf, newFolder } from './run.ts';

const COMMANDS = ['tag', 'trace', 'explain', 'inspect', 'schema', 'demo'];
const SDXL = join(EXAMPLES, 'sdxl-base-refiner.json');

describe('every command', () => {
  test.each(COMMANDS)('%s has --help and --version', async (command) => {
    const folder = newFolder();
    const [help, version] = [
      await lineage(folder, [command, '--help']),
      await lineage(folder, [command, '--version']),
    ];
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toMatch(new RegExp(`^Usage: lineage ${command} .*`));
    expect(help.stdout).toContain('--json');
    const manifest = JSON.parse(
      readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
    ) as object;
    expect(version).toEqual({ status: 0, stdout: `${Reflect.get(manifest, 'version')}\n`, stderr: '' });
    expect(listOf(folder)).toEqual([]);
  });

  test('the program itself lists them', async () => {
    const { status, stdout } = await lineage(newFolder(), ['--help']);
    expect(status).toBe(0);
    for (const command of COMMANDS) expect(stdout).toContain(`\n  ${command} `);
  });
});

test('the help of serve shows defaults as they are typed', async () => {
  const { stdout } = await lineage(newFolder(), ['serve', '--help']);
  expect(stdout.replace(/\s+/g, ' ')).toContain('(default: classic)');
  expect(stdout).not.toMatch(/\[\]|\{/);
});

describe('exit status', () => {
  test.each([
    [2, 'option/invalid', ['bogus']],
    [2, 'option/conflict', ['tag', 'a.png']],
    [2, 'option/invalid', ['tag', 'a.png', 'b.png', '--out', 'c.png']],
    [2, 'option/invalid', ['tag', 'a.png', '--out', 'b.png', '--quality', '0']],
    [2, 'option/invalid', ['trace', SDXL, '--max-samplers', '1e3']],
    [2, 'option/invalid', ['trace', SDXL, '--select', 'best']],
    [1, 'file/missing', ['trace', 'none.json']],
    [1, 'graph/unknown-node', ['trace', SDXL, '--node', '999']],
    [1, 'graph/unknown-sampler', ['trace', SDXL, '--sampler', '999']],
    [1, 'models/not-a-folder', ['trace', SDXL, '--models', 'none']],
  ] as const)('%i, %s: %j', async (status, code, args) => {
    await expectFailure(newFolder(), args, { status, code });
  });

  test('3 where the machine is in the way', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    const args = ['tag', 'a.png', '--prompt', SDXL, '--out', 'no/such/folder/b.png'];
    await expectFailure(folder, args, { status: 3, code: 'file/unwritable' });
  });

  test('70 for a bug of ours, with a document that says so', async () => {
    const broken = 'Map.groupBy = () => { throw new Error("broken on purpose"); };';
    const ended = await lineage(newFolder(), ['trace', SDXL, '--json'], {
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(broken)}` },
    });
    expect(ended.status).toBe(70);
    expect(documentOf(ended)).toMatchObject({ error: { code: 'bug', message: 'Error: broken on purpose' } });
    expect(ended.stderr).toMatch(/^A bug of ours, please report it/);
  });

  test('130 when interrupted while a large model is hashed; nothing is left half done', async () => {
    const folder = newFolder();
    const graph = putJson(folder, 'graph.json', exampleGraph());
    await putImage(folder, 'a.png', 'png');
    mkdirSync(join(folder, 'models/checkpoints'), { recursive: true });
    const model = join(folder, 'models/checkpoints/sd_xl_base_1.0.safetensors');
    writeFileSync(model, '');
    truncateSync(model, 2 ** 36);
    const before = listOf(folder);

    let interrupted = false;
    const ended = await lineage(
      folder,
      ['tag', 'a.png', '--prompt', graph, '--models', 'models', '--out', 'b.png', '--sidecar', '--json'],
      {
        onError: (stderr, child) => {
          // Once only: a second Ctrl-C ends any process at once.
          if (!interrupted && /^hashing .* % of 68719476736 bytes/.test(stderr))
            interrupted = child.kill('SIGINT');
        },
      },
    );
    expect(ended.status).toBe(130);
    expect(documentOf(ended)).toMatchObject({ error: { code: 'interrupted' } });
    expect(ended.stderr).toMatch(/interrupted; nothing was left half done\n$/);
    expect(listOf(folder)).toEqual(before);
  });
});

test('a reader that closes the pipe early is no failure', () => {
  const program = new URL('../../../bridge/lineage.mjs', import.meta.url).pathname;
  const folder = newFolder();
  const graph = exampleGraph();
  graph['6']!.inputs['text'] = 'lake '.repeat(100_000);
  const file = join(folder, putJson(folder, 'long.json', graph));
  const command = `"${process.execPath}" "${program}" trace "${file}" --json | head -c 10`;
  const said = execFileSync('bash', ['-c', `set -o pipefail; ${command}`], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
  expect(said).toBe('{"stage":"');
});

describe('an older Node', () => {
  const older = ['/usr/bin/node', '/usr/local/bin/node'].find(
    (path) => existsSync(path) && Number(execFileSync(path, ['-p', 'parseInt(process.versions.node)'])) < 24,
  );
  if (older === undefined) console.warn('skipped: what an older Node is told; there is none on this machine');

  test.skipIf(older === undefined)('is told in one line', async () => {
    const ended = await lineage(newFolder(), ['--version'], { node: older! });
    expect(ended).toMatchObject({ status: 3, stdout: '' });
    expect(ended.stderr).toMatch(/^lineage needs Node 24 or newer, this is \d+\.\d+\.\d+\. .*`npm ci`.*\n$/);
  });
});
