import { readImports } from './imports.ts';
import { readReaches } from './reaches.ts';
import type { Source } from './sources.ts';

/** What the files of one folder may touch. */
export type Ring = {
  /** Folders of ours, or single files; its own is always allowed. */
  readonly ours: readonly string[];
  /** npm packages and `node:` modules. */
  readonly theirs: readonly string[];
  /** Files that alone may use more. */
  readonly only?: Readonly<Record<string, readonly string[]>>;
  /** Files that import modules whose names the machine's owner gave at the start. */
  readonly loads?: readonly string[];
  /** Neither clock nor chance nor machine: nothing but what it is given. */
  readonly pure?: true;
};

/**
 * The layer rule: bridge -> nodes -> rules. The longest matching folder counts; a source file that none matches is
 * a fault, so a new room needs a row here.
 */
export const RINGS: Readonly<Record<string, Ring>> = {
  rules: { ours: [], theirs: [], pure: true },
  'nodes/kit': { ours: [], theirs: [], pure: true },
  'nodes/formats': {
    ours: ['nodes/kit'],
    theirs: ['node:buffer', 'node:zlib'],
    only: {
      'nodes/formats/packed-segments.ts': ['node:crypto'],
      'nodes/formats/pixels.ts': ['sharp'],
      'nodes/formats/structured-text.ts': ['yaml'],
    },
    pure: true,
  },
  'nodes/metadata': {
    ours: ['nodes/kit', 'nodes/formats', 'rules'],
    theirs: [],
    only: {
      'nodes/metadata/file-reports.ts': ['zod'],
      'nodes/metadata/record.ts': ['zod'],
      'nodes/metadata/rules/read-rules.ts': ['zod'],
      'nodes/metadata/rules/rule-schema.ts': ['zod'],
      'nodes/metadata/generator.ts': ['package.json'],
    },
    pure: true,
  },
  'nodes/builtin': {
    ours: ['nodes/kit', 'nodes/formats'],
    theirs: [],
    only: { 'nodes/builtin/kernels/sha256.ts': ['node:crypto'] },
    pure: true,
  },
  'nodes/merge': {
    ours: ['nodes/kit', 'nodes/formats'],
    theirs: [],
    only: { 'nodes/merge/provenance/merge-record.ts': ['zod'] },
    pure: true,
  },
  'nodes/merge/graph': {
    ours: ['nodes/kit', 'nodes/merge', 'nodes/pipeline'],
    theirs: [],
    pure: true,
  },
  'nodes/lora': { ours: ['nodes/kit', 'nodes/formats'], theirs: [], pure: true },
  'nodes/pipeline': {
    ours: ['nodes/kit', 'nodes/formats', 'nodes/merge', 'nodes/lora'],
    theirs: [],
    only: {
      'nodes/pipeline/condition-schema.ts': ['zod'],
      'nodes/pipeline/manifest-words.ts': ['zod'],
      'nodes/pipeline/manifest.ts': ['zod'],
      'nodes/pipeline/read-manifest.ts': ['zod'],
    },
    pure: true,
  },
  'nodes/workflow': {
    ours: ['nodes/kit'],
    theirs: [],
    only: {
      'nodes/workflow/group-data.ts': ['zod'],
      'nodes/workflow/node-definitions.ts': ['zod'],
      'nodes/workflow/parse-workflow.ts': ['zod'],
      'nodes/workflow/shapes.ts': ['zod'],
    },
    pure: true,
  },
  'nodes/index.gen.ts': { ours: ['nodes'], theirs: [], pure: true },
  'bridge/local': {
    // The kernels that its threads run.
    ours: ['nodes/kit', 'nodes/builtin/kernels/index.gen.ts'],
    theirs: [
      'node:crypto',
      'node:fs',
      'node:fs/promises',
      'node:os',
      'node:path',
      'node:sqlite',
      'node:timers/promises',
      'node:v8',
      'node:worker_threads',
    ],
    only: { 'bridge/local/model-sidecar.ts': ['zod'] },
  },
  'bridge/embedded': {
    loads: ['bridge/embedded/nodes/load-nodes.ts'],
    ours: ['nodes', 'bridge/local', 'bridge/panel', 'bridge/pipeline', 'package.json'],
    theirs: [
      'express',
      'multer',
      'ws',
      'node:buffer',
      'node:crypto',
      'node:events',
      'node:fs',
      'node:fs/promises',
      'node:http',
      'node:net',
      'node:os',
      'node:path',
      'node:sqlite',
      'node:stream',
      'node:stream/promises',
      'node:timers/promises',
      'node:url',
    ],
  },
  'bridge/comfyui': {
    ours: ['nodes', 'bridge/local', 'bridge/panel', 'bridge/pipeline', 'package.json'],
    theirs: ['ws', 'zod', 'node:crypto', 'node:fs', 'node:http', 'node:path', 'node:stream', 'node:util'],
  },
  'bridge/merge': {
    ours: ['nodes', 'bridge/local'],
    theirs: [
      'node:crypto',
      'node:fs',
      'node:fs/promises',
      'node:module',
      'node:path',
      'node:util',
      'node:worker_threads',
      'node:zlib',
    ],
    only: { 'bridge/merge/half-kernels.ts': ['node:v8'], 'bridge/merge/young-heap.ts': ['node:v8'] },
  },
  'bridge/pipeline': {
    ours: ['nodes', 'bridge/local', 'bridge/merge', 'package.json'],
    theirs: ['node:crypto', 'node:fs', 'node:fs/promises', 'node:path', 'node:worker_threads'],
    only: { 'bridge/pipeline/pipeline-runner.ts': ['node:os'] },
  },
  'bridge/panel': { ours: ['nodes', 'rules'], theirs: [] },
  'bridge/tagging': {
    ours: ['nodes', 'bridge/local', 'bridge/merge/is-alive.ts'],
    theirs: ['node:crypto', 'node:fs', 'node:fs/promises', 'node:os', 'node:path'],
    only: { 'bridge/tagging/journal-lines.ts': ['zod', 'node:zlib'] },
  },
  'bridge/view': {
    ours: [
      'nodes',
      'bridge/local',
      'bridge/panel',
      'bridge/embedded/files',
      'bridge/embedded/http',
      'bridge/embedded/routes/failure.ts',
      'bridge/embedded/security',
    ],
    theirs: ['express', 'node:child_process', 'node:crypto', 'node:path'],
  },
  'bridge/cli': {
    ours: [
      'nodes',
      'rules',
      'bridge/embedded',
      'bridge/local',
      'bridge/merge/open-weights.ts',
      'bridge/merge/read-gguf.ts',
      'bridge/pipeline',
      'bridge/tagging',
      'bridge/view',
      'package.json',
    ],
    theirs: ['commander', 'node:crypto', 'node:fs', 'node:fs/promises', 'node:path', 'node:url'],
    only: {
      'bridge/cli/inspect.ts': ['exifr', 'exifreader'],
      'bridge/cli/merge-machine.ts': ['node:os'],
      'bridge/cli/tag-folder.ts': ['node:os'],
      'bridge/cli/progress-bar.ts': ['cli-progress'],
      'bridge/cli/serve.ts': ['node:module'],
    },
  },
  'bridge/lineage.mjs': { ours: ['bridge/cli/main.ts'], theirs: ['node:module', 'node:os', 'node:path'] },
  'bridge/build': {
    ours: ['nodes', 'rules', 'bridge', 'package.json'],
    theirs: [
      'assemblyscript',
      'binaryen',
      'esbuild',
      'zod',
      'node:fs',
      'node:fs/promises',
      'node:path',
      'node:url',
    ],
  },
  web: { ours: [], theirs: [] },
};

/** The row of a file: the longest folder that holds it. */
function ringOf(path: string): readonly [string, Ring] | undefined {
  return Object.entries(RINGS)
    .filter(([folder]) => isWithin(path, folder))
    .sort(([a], [b]) => b.length - a.length)[0];
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** Everything that a file does and its ring may not, one line each. */
export function findBreaches(file: Source): string[] {
  const row = ringOf(file.path);
  if (!row) return [`${file.path}: no ring; add a row to tests/house/layers.ts`];
  const [folder, ring] = row;
  const breaches: string[] = [];
  for (const { form, specifier } of readImports(file)) {
    // `*.css` is a kind of file, no module.
    if (form === 'declare module' && specifier?.startsWith('*.')) continue;
    const target = specifier === undefined ? undefined : resolve(file.path, specifier);
    if (target === undefined && form === 'import()' && ring.loads?.includes(file.path)) continue;
    if (target === undefined) breaches.push(`${file.path}: ${form} of a computed module`);
    else if (!mayUse(file.path, folder, ring, target)) breaches.push(`${file.path}: ${form} of ${target}`);
  }
  if (ring.pure) breaches.push(...readReaches(file).map((what) => `${file.path}: uses ${what}`));
  return breaches;
}

/** What a specifier names: a path below the root, a package, or `node:name`. */
function resolve(from: string, specifier: string): string {
  if (/^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..') {
    return new URL(specifier, `file:///${from}`).pathname.slice(1);
  }
  if (specifier.startsWith('node:')) return specifier;
  // Also `fs` without `node:`, `#imports`, `file:` and `data:`, which no ring lists.
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function mayUse(path: string, folder: string, { ours, theirs, only }: Ring, target: string): boolean {
  if (theirs.includes(target) || only?.[path]?.includes(target)) return true;
  return [folder, ...ours].some((allowed) => isWithin(target, allowed));
}
