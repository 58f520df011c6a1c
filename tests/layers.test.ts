import { describe, expect, test } from 'vitest';
import { readImports } from './house/imports.ts';
import { findBreaches, RINGS } from './house/layers.ts';
import { readReaches } from './house/reaches.ts';
import { readSources, readText } from './house/sources.ts';

const sources = readSources('rules', 'nodes', 'bridge', 'web');

/** A file that is not there, with this text. */
const breachesOf = (path: string, text: string): string[] => findBreaches({ path, text });

describe('the layer rule holds', () => {
  test.each(sources.map((source) => [source.path, source] as const))('%s', (_, source) => {
    expect(findBreaches(source)).toEqual([]);
  });
});

// A guard that sees nothing is green as well.
describe('the guard looks at something', () => {
  test('files of every ring that exists, and the imports in them', () => {
    const seen = sources.flatMap((source) =>
      readImports(source).map(({ form, specifier }) => `${source.path} | ${form} | ${specifier}`),
    );
    expect(seen).toContain('nodes/formats/pixels.ts | import | sharp');
    expect(seen).toContain('bridge/cli/tag.ts | import | ../../nodes/metadata/embed.ts');
    expect(seen).toContain('bridge/lineage.mjs | import() | ./cli/main.ts');
    expect(seen).toContain('bridge/local/hash-file.ts | new Worker | ./hash-worker.ts');
    expect(seen).toContain('nodes/kit/warning-log.ts | import | ./warnings.ts');
    expect(seen.length).toBeGreaterThan(200);
  });

  test('every package and file that a ring lists is used there: the list holds nothing from before', () => {
    const used = new Set(
      sources.flatMap((source) => readImports(source).map(({ specifier }) => `${source.path} ${specifier}`)),
    );
    const isUsed = (folder: string, what: string): boolean =>
      [...used].some((use) => use.startsWith(folder) && use.endsWith(what));
    /** By a module within the package. */
    const isEntered = (folder: string, what: string): boolean =>
      [...used].some((use) => use.startsWith(folder) && use.includes(` ${what}/`));
    const idle = Object.entries(RINGS).flatMap(([folder, ring]) => [
      ...ring.theirs
        .filter((what) => !isUsed(folder, ` ${what}`) && !isEntered(folder, what))
        .map((what) => `${folder}: ${what}`),
      ...Object.entries(ring.only ?? {}).flatMap(([file, whats]) =>
        whats.filter((what) => !isUsed(file, what)).map((what) => `${file}: ${what}`),
      ),
    ]);
    expect(idle).toEqual([]);
  });

  test('product code imports only what npm installs for users', () => {
    const { dependencies }: { dependencies: object } = JSON.parse(readText('package.json'));
    // What builds the pack runs where the pack is made.
    const shipped = Object.entries(RINGS).filter(([folder]) => folder !== 'bridge/build');
    const listed = shipped.flatMap(([, ring]) => [...ring.theirs, ...Object.values(ring.only ?? {}).flat()]);
    const packages = listed.filter((what) => !what.startsWith('node:') && what !== 'package.json');
    expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(packages));
  });
});

/** Every way to write an import, of X. */
const FORMS: Readonly<Record<string, (x: string) => string>> = {
  import: (x) => `import { a } from '${x}';`,
  'default import': (x) => `import a from "${x}";`,
  'namespace import': (x) => `import * as a from '${x}';`,
  'import on several lines': (x) => `import {\n  a,\n  b,\n} from\n  '${x}';`,
  'import without spaces': (x) => `import{a}from'${x}'`,
  'import behind code on its line': (x) => `const z = 1; import { a } from '${x}';`,
  'import behind a comment': (x) => `/* an import: */ import { a } from '${x}';`,
  'import with attributes': (x) => `import a from '${x}' with { type: 'json' };`,
  'import with an escape': (x) => `import a from '${x.replace('s', '\\x73')}';`,
  'side-effect import': (x) => `import '${x}';`,
  'import type': (x) => `import type { A } from '${x}';`,
  'import of an inline type': (x) => `import { type A } from '${x}';`,
  'export from': (x) => `export { a } from '${x}';`,
  'export type from': (x) => `export type { A } from '${x}';`,
  'export * from': (x) => `export * from '${x}';`,
  'export * as': (x) => `export * as a from '${x}';`,
  'import()': (x) => `const a = await import('${x}');`,
  'import() of a template': (x) => `const a = await import(\`${x}\`);`,
  'import() in a template': (x) => `const a = \`\${await import('${x}')}\`;`,
  'import() with a comment': (x) => `const a = () => import(/* webpackIgnore */ '${x}');`,
  'import() type': (x) => `export type A = import('${x}').A;`,
  'typeof import()': (x) => `let a: typeof import('${x}');`,
  'import = require': (x) => `import a = require('${x}');`,
  'declare module': (x) => `declare module '${x}' { export const a: number; }`,
  'require()': (x) => `const a = require('${x}');`,
  'require.resolve()': (x) => `const a = require.resolve('${x}');`,
  'import.meta.resolve()': (x) => `const a = import.meta.resolve('${x}');`,
  "import.meta['resolve']()": (x) => `const a = import.meta['resolve']('${x}');`,
  'getBuiltinModule()': (x) => `const a = process.getBuiltinModule('${x}');`,
  '/// <reference path>': (x) => `/// <reference path="${x}" />\nexport {};`,
  '/// <reference types>': (x) => `/// <reference types='${x}' />\nexport {};`,
};
/** Those that take only a file. */
const FILE_FORMS: typeof FORMS = {
  'new URL()': (x) => `const a = new URL('${x}', import.meta.url);`,
  'new Worker()': (x) => `const a = new Worker(new URL('${x}', import.meta.url));`,
};

describe('every form of import is seen', () => {
  const from = 'bridge/local/imagined.ts';

  test.each(Object.entries({ ...FORMS, ...FILE_FORMS }))('%s of a file', (_, write) => {
    expect(breachesOf(from, write('../cli/main.ts')).join()).toContain('bridge/cli/main.ts');
    expect(breachesOf(from, write('../local/ledger.ts')), 'an import that is allowed').toEqual([]);
  });

  test.each(Object.entries(FORMS))('%s of a package', (_, write) => {
    expect(breachesOf(from, write('sharp')).join()).toContain('sharp');
    expect(breachesOf(from, write('node:fs')), 'an import that is allowed').toEqual([]);
  });
});

describe('what a computed import reaches nobody can say', () => {
  test.each([
    'const a = await import(name);',
    `const a = await import(\`./\${name}.ts\`);`,
    "const a = await import('./' + name);",
    'const a = require(name);',
    'const load = require; load("sharp");',
    'const a = import.meta.resolve(name);',
    'const { resolve } = import.meta;',
    'const a = import.meta[name];',
    'const a = process.getBuiltinModule(name);',
    'new Worker(file);',
    'new Worker("code", { eval: true });',
    `new Worker(new URL(\`./\${name}\`, import.meta.url));`,
    'new threads.Worker(file);',
    'const W = Worker; new W(file);',
    "import { Worker as W } from 'node:worker_threads'; new W(file);",
    `const a = new URL(\`./\${name}.ts\`, import.meta.url);`,
    'const a = new URL(name, import.meta.url);',
    "import { createRequire } from 'node:fs';",
    "import { createRequire as make } from 'node:fs';",
  ])('%s', (text) => {
    expect(breachesOf('bridge/local/imagined.ts', text).join()).toContain('computed');
  });

  test('only the file that loads what the owner names may compute an import, and nothing else', () => {
    const load = 'const a = await import(file);';
    expect(breachesOf('bridge/embedded/nodes/load-nodes.ts', load)).toEqual([]);
    expect(breachesOf('bridge/embedded/imagined.ts', load).join()).toContain('computed');
    expect(breachesOf('bridge/embedded/nodes/load-nodes.ts', 'const a = require(file);').join()).toContain(
      'computed',
    );
  });

  test('what only looks like an import is none', () => {
    const text = [
      "// import 'sharp'",
      "/* import('sharp') */",
      'const a = "import \'sharp\'";',
      "const b = `export * from 'sharp'`;",
      "const c = /import 'sharp'/;",
      "loader.require('sharp');",
      `const d = new URL(\`./\${name}.json\`, import.meta.url);`,
      "const e = new URL('./notes.md', import.meta.url);",
    ].join('\n');
    expect(breachesOf('bridge/local/imagined.ts', text)).toEqual([]);
  });
});

/** Folders that a file can stand in, and those that it may import, as README draws them. */
const ROOMS = [
  'nodes/kit',
  'nodes/formats',
  'nodes/builtin',
  'nodes/metadata',
  'nodes/metadata/readers',
  'nodes/metadata/rules',
  'nodes/metadata/lint',
  'nodes/metadata/diff',
  'nodes/metadata/strip',
  'nodes/merge',
  'nodes/merge/graph',
  'nodes/lora',
  'nodes/pipeline',
  'nodes/workflow',
];
/** Folders of the metadata room: its row in the rule is theirs. */
const ASIDE = [
  'nodes/metadata/readers',
  'nodes/metadata/rules',
  'nodes/metadata/lint',
  'nodes/metadata/diff',
  'nodes/metadata/strip',
];
const IN_METADATA = ['nodes/kit', 'nodes/formats', 'nodes/metadata', 'rules', 'rules/packs', ...ASIDE];
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  rules: [],
  'rules/packs': ['rules'],
  'nodes/kit': [],
  'nodes/formats': ['nodes/kit'],
  'nodes/metadata': ['nodes/kit', 'nodes/formats', 'rules', 'rules/packs', ...ASIDE],
  'nodes/metadata/readers': IN_METADATA,
  'nodes/metadata/lint': IN_METADATA,
  'nodes/metadata/diff': IN_METADATA,
  'nodes/metadata/strip': IN_METADATA,
  'nodes/metadata/rules': IN_METADATA,
  'nodes/builtin': ['nodes/kit', 'nodes/formats'],
  'nodes/merge': ['nodes/kit', 'nodes/formats', 'nodes/merge/graph'],
  'nodes/merge/graph': ['nodes/kit', 'nodes/merge', 'nodes/pipeline'],
  'nodes/lora': ['nodes/kit', 'nodes/formats'],
  'nodes/pipeline': ['nodes/kit', 'nodes/formats', 'nodes/merge', 'nodes/merge/graph', 'nodes/lora'],
  'nodes/workflow': ['nodes/kit'],
  'bridge/local': ['nodes/kit'],
  'bridge/panel': [...ROOMS, 'rules', 'rules/packs'],
  'bridge/merge': [...ROOMS, 'bridge/local'],
  'bridge/pipeline': [...ROOMS, 'bridge/local', 'bridge/merge'],
  'bridge/embedded': [...ROOMS, 'bridge/local', 'bridge/panel', 'bridge/pipeline'],
  'bridge/comfyui': [...ROOMS, 'bridge/local', 'bridge/panel', 'bridge/pipeline'],
  'bridge/tagging': [...ROOMS, 'bridge/local'],
  // Of the embedded runtime only what is listed by folder: its ways to listen, to refuse and to send a file.
  'bridge/view': [...ROOMS, 'bridge/local', 'bridge/panel'],
  'bridge/cli': [
    ...ROOMS,
    'rules',
    'rules/packs',
    'bridge/local',
    'bridge/embedded',
    'bridge/pipeline',
    'bridge/tagging',
    'bridge/view',
  ],
  web: [],
};
const FOLDERS = [...Object.keys(ARROWS), 'bridge/build', 'tests', 'fixtures', 'scripts'];

describe('arrows point one way', () => {
  const pairs = Object.entries(ARROWS).flatMap(([from, allowed]) =>
    FOLDERS.filter((to) => to !== from && !(from === 'rules' && to === 'rules/packs')).map(
      (to) => [from, to, allowed.includes(to)] as const,
    ),
  );
  test.each(pairs)('%s -> %s: %s', (from, to, isAllowed) => {
    const up = '../'.repeat(from.split('/').length);
    const breaches = breachesOf(`${from}/imagined.ts`, `import '${up}${to}/other.ts';`);
    expect(breaches).toEqual(isAllowed ? [] : [`${from}/imagined.ts: side-effect import of ${to}/other.ts`]);
  });

  test.each([
    ['round about', 'nodes/kit/a.ts', "import './b/../../metadata/graph.ts';"],
    ['percent-encoded', 'nodes/kit/a.ts', "import './%2e%2e/metadata/graph.ts';"],
    ['a folder of a like name', 'nodes/formats/a.ts', "import '../kit-extra/graph.ts';"],
    ['into node_modules', 'nodes/kit/a.ts', "import '../../node_modules/sharp/lib/index.js';"],
    ['by absolute path', 'nodes/kit/a.ts', "import '/srv/graph.ts';"],
    ['by URL', 'nodes/kit/a.ts', "import 'file:///srv/graph.ts';"],
    ['by data URL', 'nodes/kit/a.ts', "import 'data:text/javascript,0';"],
    ['by a #import', 'nodes/kit/a.ts', "import '#metadata';"],
    ['our manifest elsewhere', 'nodes/metadata/a.ts', "import '../../package.json';"],
    ['a room without a row', 'nodes/kitchen/a.ts', ''],
  ])('%s', (_, path, text) => {
    expect(breachesOf(path, text)).toHaveLength(1);
  });
});

describe('packages and node: modules have their ring', () => {
  test.each([
    ['rules/packs/a.ts', 'zod'],
    ['rules/packs/a.ts', 'node:path'],
    ['nodes/kit/a.ts', 'zod'],
    ['nodes/kit/a.ts', 'node:util'],
    ['nodes/formats/png.ts', 'sharp'],
    ['nodes/formats/a.ts', 'node:fs'],
    ['nodes/formats/a.ts', 'fs'],
    ['nodes/formats/a.ts', 'fs/promises'],
    ['nodes/metadata/a.ts', 'zod'],
    ['nodes/metadata/a.ts', 'sharp'],
    ['nodes/metadata/a.ts', 'node:fs'],
    ['nodes/metadata/a.ts', 'node:net'],
    ['nodes/metadata/a.ts', 'node:http'],
    ['nodes/metadata/a.ts', 'node:child_process'],
    ['nodes/metadata/a.ts', 'node:process'],
    ['nodes/metadata/a.ts', 'process'],
    ['nodes/metadata/a.ts', 'node:os'],
    ['nodes/metadata/a.ts', 'node:perf_hooks'],
    ['nodes/metadata/a.ts', 'node:crypto'],
    ['nodes/metadata/a.ts', 'node:timers'],
    ['nodes/metadata/a.ts', 'node:worker_threads'],
    ['nodes/metadata/a.ts', 'node:module'],
    ['bridge/local/a.ts', 'node:module'],
    ['bridge/local/a.ts', 'node:child_process'],
    ['bridge/local/a.ts', 'commander'],
    ['bridge/cli/tag.ts', 'exifr'],
    ['bridge/cli/tag.ts', 'sharp'],
    ['bridge/cli/a.ts', 'node:module'],
    ['bridge/cli/a.ts', 'vitest'],
    ['bridge/lineage.mjs', 'commander'],
    ['web/a.ts', 'zod'],
  ])('%s may not use %s', (path, name) => {
    expect(breachesOf(path, `import '${name}';`)).toHaveLength(1);
  });
});

describe('nodes and rules reach nothing outside', () => {
  test.each([
    "process.env['HOME'];",
    'const { env } = process;',
    'globalThis.process;',
    "globalThis['fetch'];",
    'await fetch(address);',
    'const get = fetch;',
    'new WebSocket(address);',
    'new Worker(new URL("./a.ts", import.meta.url));',
    "console.log('a');",
    'Date.now();',
    "Date['now']();",
    'new Date();',
    'new Date;',
    'Date();',
    'const Clock = Date;',
    'performance.now();',
    'Math.random();',
    'const { random } = Math;',
    'Math[name]();',
    'crypto.randomUUID();',
    'setTimeout(run, 1);',
    "eval('1');",
    "new Function('return 1');",
    'import.meta.dirname;',
    'const a = { process };',
    'global.queue;',
    'navigator.hardwareConcurrency;',
    'new EventSource(address);',
    'new XMLHttpRequest();',
    'new BroadcastChannel(name);',
    'new Worker(file);',
    'new SharedWorker(file);',
    'setInterval(run, 1);',
    'setImmediate(run);',
    'require(name);',
    'module.exports = 1;',
    'const a = <object>process;',
    'const a = process as object;',
    'const a = process!;',
  ])('%s', (text) => {
    expect(readReaches({ path: 'nodes/metadata/a.ts', text })).not.toEqual([]);
    for (const ring of ['rules/packs', 'nodes/kit', 'nodes/formats', 'nodes/metadata'])
      expect(breachesOf(`${ring}/a.ts`, text).join()).toContain('uses');
  });

  test('names, types and the dates one is given are no reach', () => {
    const text = [
      'const a = { process: 1, console: 2 };',
      'a.process; a?.console;',
      'type A = { fetch: Date; process: string };',
      'function f(now: Date): Date { return new Date(now.getTime()); }',
      'const b = now instanceof Date; Date.UTC(2026, 0); Math.max(1, 2);',
    ].join('\n');
    expect(readReaches({ path: 'nodes/metadata/a.ts', text })).toEqual([]);
  });
});
