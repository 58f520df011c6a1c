import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { rootSourceMaps } from './root-source-maps.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BRIDGE = 'bridge/comfyui/main.ts';

/** CommonJS packages ask for Node's own modules by `require`, which modules don't have. */
const BANNER = [
  '// Lineage: bundled from TypeScript, unchanged but for the types; the source map beside it holds the sources.',
  "import { createRequire as lineageCreateRequire } from 'node:module';",
  'const require = lineageCreateRequire(import.meta.url);',
].join('\n');

/** `new URL('./hash-worker.ts', import.meta.url)`: code that a thread runs. */
const CODE_URL = /new URL\(\s*'(\.{1,2}\/[^']+)\.ts',\s*import\.meta\.url,?\s*\)/g;
/** `new URL('../kernels.wasm', import.meta.url)`: machine code that is read as a file. */
const WASM_URL = /new URL\(\s*'(\.{1,2}\/[^']+\.wasm)',\s*import\.meta\.url,?\s*\)/g;
const ANY_URL = /new URL\([^)]*import\.meta\.url/;

/**
 * Bundles the program that ComfyUI starts into one readable file, `bridge.mjs`, and each thread that it may start
 * into one beside it, all with source maps, and their kernels. sharp's native parts stay outside: see copySharp.
 *
 * @returns the source files that went in, relative to the repository
 * @throws Error where code names a file by URL that is no code: the bundle would not find it
 */
export async function bundleBridge(out: string): Promise<readonly string[]> {
  const threads = new Map<string, string>();
  const inputs = new Set<string>();
  await mkdir(out, { recursive: true });
  let pending = new Map([['bridge', resolve(ROOT, BRIDGE)]]);
  while (pending.size > 0) {
    for (const file of await bundle(pending, out, threads)) inputs.add(file);
    const done = pending;
    pending = new Map([...threads].filter(([name]) => !done.has(name)));
    for (const name of pending.keys()) threads.delete(name);
  }
  rootSourceMaps(out, ROOT);
  return [...inputs].toSorted();
}

async function bundle(
  entries: ReadonlyMap<string, string>,
  out: string,
  threads: Map<string, string>,
): Promise<string[]> {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(entries),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    // The first Node with everything that we use of it: node:sqlite and JSON.rawJSON.
    target: 'node24',
    sourcemap: 'linked',
    charset: 'utf8',
    legalComments: 'eof',
    banner: { js: BANNER },
    metafile: true,
    logLevel: 'warning',
    plugins: [threadUrls(threads, out)],
  });
  return Object.keys(result.metafile.inputs);
}

/** Threads and kernels are named by URL: the bundle names its own files. */
function threadUrls(threads: Map<string, string>, out: string): Plugin {
  return {
    name: 'thread-urls',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/](bridge|nodes|rules)[\\/].*\.ts$/ }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        for (const [, specifier = ''] of text.matchAll(WASM_URL))
          await copyFile(resolve(dirname(path), specifier), join(out, basename(specifier)));
        const named = text.replace(
          WASM_URL,
          (_whole, specifier: string) => `new URL('./${basename(specifier)}', import.meta.url)`,
        );
        const contents = named.replace(CODE_URL, (_whole, specifier: string) => {
          const name = basename(specifier);
          threads.set(name, resolve(dirname(path), `${specifier}.ts`));
          return `new URL('./${name}.mjs', import.meta.url)`;
        });
        if (ANY_URL.test(contents.replace(/new URL\('\.\/[\w-]+\.(mjs|wasm)', import\.meta\.url\)/g, '')))
          throw new Error(`${path}: names a file by URL that the bundle would not hold`);
        return { contents, loader: 'ts' };
      });
    },
  };
}
