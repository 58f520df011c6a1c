import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { pack } from '../../../bridge/build/pack.ts';
import { nodeDefinitions } from '../../../nodes/index.gen.ts';
import saveImage from '../../../nodes/metadata/save-image.node.ts';
import manifest from '../../../package.json' with { type: 'json' };

const TOKEN = 'ab'.repeat(32);
const hasWasm = existsSync(new URL('../../../node_modules/@img/sharp-wasm32/', import.meta.url));
if (!hasWasm) console.warn('skipped: the packed folder on WASM, since @img/sharp-wasm32 is not installed');

let root: string;
let folder: string;
const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
const list = (path = '.'): string[] =>
  readdirSync(join(folder, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    );

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'lineage-pack-'));
  folder = join(root, 'lineage');
  await pack(pathToFileURL(`${folder}/`));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Starts the bundle as ComfyUI's side does, with nothing of this repository in reach, and shakes hands. */
async function shakeHands(packed: string): Promise<{ version: string; node: string }> {
  const scratch = mkdtempSync(join(root, 'run-'));
  const path = join(scratch, 'bridge.sock');
  const child = spawn(process.execPath, [join(packed, 'dist/bridge.mjs')], {
    cwd: scratch,
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  try {
    const said = new Promise<string>((resolve, reject) => {
      let errors = '';
      child.stderr.on('data', (chunk) => {
        errors += chunk;
      });
      child.stdout.once('data', (chunk) => resolve(String(chunk)));
      child.once('exit', (status) => reject(new Error(`ended with ${status}: ${errors}`)));
    });
    const birth = { token: TOKEN, listen: { path }, exchange: [scratch], scratch: [] };
    child.stdin.write(`${JSON.stringify(birth)}\n`);
    expect(JSON.parse(await said)).toEqual({ ready: { port: null } });
    return await greet(path, scratch);
  } finally {
    child.kill();
  }
}

async function greet(path: string, scratch: string): Promise<{ version: string; node: string }> {
  const socket = new WebSocket(`ws+unix:${path}:/`, { headers: { authorization: `Bearer ${TOKEN}` } });
  try {
    const settings = {
      output: scratch,
      input: scratch,
      temp: scratch,
      home: scratch,
      disableMetadata: false,
      models: {},
    };
    return await new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', (_, reason) => reject(new Error(String(reason))));
      socket.on('message', (data) => resolve(JSON.parse(String(data))));
      socket.on('open', () =>
        socket.send(JSON.stringify({ kind: 'hello', protocol: 1, version: manifest.version, settings })),
      );
    });
  } finally {
    socket.close();
  }
}

describe('the program', () => {
  test('runs with nothing but Node and is of this version', async () => {
    expect(await shakeHands(folder)).toMatchObject({ kind: 'welcome', version: manifest.version });
  });

  test('lies in one file and one a thread, readable and with its sources', () => {
    const files = list('dist').filter((file) => !file.startsWith('dist/node_modules/'));
    expect(files.toSorted()).toEqual([
      'dist/bridge.mjs',
      'dist/bridge.mjs.map',
      'dist/half-kernels.wasm',
      'dist/hash-output-worker.mjs',
      'dist/hash-output-worker.mjs.map',
      'dist/hash-worker.mjs',
      'dist/hash-worker.mjs.map',
      'dist/job-worker.mjs',
      'dist/job-worker.mjs.map',
      'dist/kernels.wasm',
      'dist/step-thread.mjs',
      'dist/step-thread.mjs.map',
    ]);
    const code = read('dist/bridge.mjs');
    expect(code).toContain('new URL("./hash-worker.mjs", import.meta.url)');
    // A minified file has a few lines, of thousands of characters.
    expect(code.length / code.split('\n').length).toBeLessThan(80);
    const map = JSON.parse(read('dist/bridge.mjs.map'));
    const source = map.sources.findIndex((each: string) => each === 'nodes/metadata/save-image.node.ts');
    expect(map.sourcesContent[source]).toBe(
      readFileSync(new URL('../../../nodes/metadata/save-image.node.ts', import.meta.url), 'utf8'),
    );
  });

  test('names no path of the machine that packed it', () => {
    const here = new URL('../../..', import.meta.url).pathname.replace(/\/$/, '');
    for (const file of list().filter((each) => /\.(mjs|js|json|map|md|txt|py|toml|css|html)$/.test(each)))
      expect(read(file).includes(here), file).toBe(false);
  });

  test.skipIf(!hasWasm)('on a platform without a native build, sharp is its WASM build', async () => {
    const other = join(root, 'other');
    cpSync(folder, other, { recursive: true });
    for (const name of readdirSync(join(other, 'dist/node_modules/@img')))
      if (name !== 'sharp-wasm32') rmSync(join(other, 'dist/node_modules/@img', name), { recursive: true });
    expect(await shakeHands(other)).toMatchObject({ kind: 'welcome' });
  });

  test('without any build of sharp, it says so instead of starting', async () => {
    const bare = join(root, 'bare');
    cpSync(folder, bare, { recursive: true });
    rmSync(join(bare, 'dist/node_modules'), { recursive: true });
    await expect(shakeHands(bare)).rejects.toThrow('Could not load the "sharp" module');
  });
});

describe('what lies beside it', () => {
  test('the Python side compiles and has the manifest of every node', () => {
    const python = list().filter((file) => file.endsWith('.py'));
    expect(python).toContain('__init__.py');
    const parsed = JSON.parse(read('bridge/comfyui/manifest.gen.json'));
    expect(parsed.nodes.map(({ id }: { id: string }) => id)).toEqual(nodeDefinitions.map(({ id }) => id));
    const check = 'import ast,sys\nfor f in sys.argv[1:]: ast.parse(open(f,encoding="utf-8").read(),f)';
    execFileSync('python3', ['-c', check, ...python.map((file) => join(folder, file))]);
  });

  test('one script for the front end: ComfyUI loads every .js that it finds', () => {
    expect(list('web').filter((file) => file.endsWith('.js'))).toEqual(['web/dist/comfyui/lineage.js']);
    const script = read('web/dist/comfyui/lineage.js');
    const imported = new Set([...script.matchAll(/^import .* from "(.+)";$/gm)].map(([, from]) => from));
    expect([...imported].toSorted()).toEqual(['../../scripts/api.js', '../../scripts/app.js']);
  });

  test('a help page for each node, with all of its inputs', () => {
    for (const node of nodeDefinitions) {
      const page = read(`web/dist/comfyui/docs/${node.id}.md`);
      expect(page.startsWith(`# ${node.title}\n`)).toBe(true);
      for (const name of Object.keys(node.inputs)) expect(page, name).toContain(`| \`${name}\` |`);
    }
  });

  test.each(['en', 'de'])('%s: titles and tooltips of each node', (language) => {
    const defs = JSON.parse(read(`locales/${language}/nodeDefs.json`));
    for (const { id, inputs, outputs } of nodeDefinitions) {
      expect(defs[id].display_name.length).toBeGreaterThan(3);
      expect(Object.keys(defs[id].inputs)).toEqual(Object.keys(inputs));
      expect(Object.keys(defs[id].outputs)).toEqual(Object.keys(outputs).map((_, slot) => String(slot)));
    }
  });

  test('example workflows have our save node with a value for each of its widgets', () => {
    const names = list('example_workflows').filter((name) => !name.includes('merge'));
    expect(names).toHaveLength(4);
    for (const name of names) {
      const { nodes, links } = JSON.parse(read(name));
      const node = nodes.find(({ type }: { type: string }) => type === 'LineageSaveImage');
      expect(nodes.some(({ type }: { type: string }) => type === 'SaveImage')).toBe(false);
      // All inputs but the two sockets, in the order of the canvas: a prefix, a format, a method, then the rest.
      expect(node.widgets_values).toHaveLength(Object.keys(saveImage.inputs).length - 2);
      expect(node.widgets_values.slice(1, 5)).toEqual(['png', 'range', '', 4]);
      expect(links.some((link: unknown[]) => link[3] === node.id && link[5] === 'IMAGE')).toBe(true);
    }
  });

  test('an example manifest as merge nodes: every link ends where its type fits', () => {
    const [name = '', ...more] = list('example_workflows').filter((each) => each.includes('merge'));
    expect(more).toEqual([]);
    const { nodes, links } = JSON.parse(read(name));
    type Slot = { readonly type: string; readonly link: number; readonly links: readonly number[] };
    type Drawn = { readonly id: number; readonly type: string } & Record<
      'inputs' | 'outputs',
      readonly Slot[]
    >;
    const at = (id: number): Drawn | undefined => nodes.find((node: Drawn) => node.id === id);
    expect(nodes.filter(({ type }: Drawn) => type === 'LineageMerge')).toHaveLength(3);
    expect(links).toHaveLength(9);
    for (const [id, from, slot, to, input, type] of links) {
      expect(at(from)?.outputs[slot]).toMatchObject({ type, links: expect.arrayContaining([id]) });
      expect(at(to)?.inputs[input]).toMatchObject({ type, link: id });
    }
    const merge = nodes.find(({ type }: Drawn) => type === 'LineageMerge');
    expect(merge.widgets_values.slice(0, 4)).toEqual(['sum', '', '0.6, 0.4', 'base_merge']);
  });

  test('the licence of each package that went in, also for machines', () => {
    const licences = read('THIRD-PARTY-LICENCES.txt');
    const sbom = JSON.parse(read('sbom.cdx.json'));
    const names = sbom.components.map(({ name }: { name: string }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['sharp', 'ws', 'zod', 'detect-libc', 'semver', '@img/colour']),
    );
    for (const { name, version } of sbom.components) expect(licences).toContain(`${name} ${version}`);
    expect(licences).toContain('Apache License');
    // What only the tools of the repository use is no part of it.
    expect(names).not.toContain('esbuild');
  });

  test('no sources, tests or fixtures', () => {
    const first = new Set(list().map((file) => file.split('/')[0]));
    expect([...first].toSorted()).toEqual(
      [
        '__init__.py',
        'bridge',
        'CHANGELOG.md',
        'dist',
        'example_workflows',
        'LICENSE',
        'locales',
        'pyproject.toml',
        'README.md',
        'sbom.cdx.json',
        'THIRD-PARTY-LICENCES.txt',
        'web',
      ].toSorted(),
    );
    expect(list('bridge').filter((file) => !/^bridge\/comfyui\/[\w.]+\.(py|json)$/.test(file))).toEqual([]);
  });
});

test('packing again gives the same bytes', async () => {
  const again = join(root, 'again');
  await pack(pathToFileURL(`${again}/`));
  expect(readdirSync(again)).toEqual(readdirSync(folder));
  for (const file of list().filter((each) => !each.startsWith('dist/node_modules/')))
    expect(readFileSync(join(again, file)).equals(readFileSync(join(folder, file))), file).toBe(true);
});

test('a folder with anything else in it is not replaced', async () => {
  const own = join(root, 'own');
  mkdirSync(own);
  writeFileSync(join(own, 'letter.txt'), 'dear');
  await expect(pack(pathToFileURL(`${own}/`))).rejects.toThrow('holds something that was not packed');
  expect(readFileSync(join(own, 'letter.txt'), 'utf8')).toBe('dear');
});
