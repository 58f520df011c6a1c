/**
 * `npm run pack [-- --out DIR]`: makes the folder that a user puts into ComfyUI's `custom_nodes`. It needs neither
 * npm nor a compiler there: one readable bundle with source maps, what the browser gets, translations, examples and
 * help pages, all made anew from sources.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildExtension } from './build-web.ts';
import { bundleBridge } from './bundle-bridge.ts';
import { copySharp } from './copy-sharp.ts';
import { exampleWorkflows } from './example-workflows.ts';
import { localeFiles } from './locales.ts';
import { listThirdParty } from './third-party.ts';

const ROOT = new URL('../../', import.meta.url);
const DEFAULT_OUT = new URL('out/lineage/', ROOT);
/** Lies in every folder that we packed: only such a folder, or an empty one, is ever replaced. */
const MARK = 'sbom.cdx.json';
/** Files that go as they are. */
const AS_THEY_ARE = ['__init__.py', 'pyproject.toml', 'LICENSE', 'README.md', 'CHANGELOG.md'];

/** What a pack turned out to be. */
type Packed = { readonly out: string; readonly hasWasm: boolean; readonly builds: readonly string[] };

/**
 * @param out the folder, ending in `/`; replaced where it is empty or was packed before
 * @throws Error for a folder with anything else in it, and where a source is missing
 */
export async function pack(out: URL): Promise<Packed> {
  empty(out);
  const write = (path: string, text: string): void => {
    const file = fileURLToPath(new URL(path, out));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  for (const name of AS_THEY_ARE) cpSync(new URL(name, ROOT), new URL(name, out));
  copyShim(out);
  await buildExtension(new URL('web/dist/comfyui/', out));
  for (const [path, text] of localeFiles()) write(`locales/${path}`, text);
  for (const [name, text] of exampleWorkflows()) write(`example_workflows/${name}`, text);
  const dist = new URL('dist/', out);
  const inputs = await bundleBridge(fileURLToPath(dist));
  const { packages, hasWasm } = copySharp(dist);
  const { licences, sbom } = listThirdParty(inputs, packages);
  write('THIRD-PARTY-LICENCES.txt', licences);
  write(MARK, sbom);
  return {
    out: fileURLToPath(out),
    hasWasm,
    builds: packages.filter((name) => name.startsWith('@img/sharp-')),
  };
}

/** What Python imports, and the manifest that it makes the nodes of. */
function copyShim(out: URL): void {
  const folder = new URL('bridge/comfyui/', ROOT);
  for (const name of readdirSync(folder)) {
    if (/\.(py|json)$/.test(name)) cpSync(new URL(name, folder), new URL(`bridge/comfyui/${name}`, out));
  }
}

function empty(out: URL): void {
  if (existsSync(out)) {
    if (readdirSync(out).length > 0 && !existsSync(new URL(MARK, out)))
      throw new Error(`${fileURLToPath(out)}: holds something that was not packed; choose another folder`);
    rmSync(out, { recursive: true });
  }
  mkdirSync(out, { recursive: true });
}

function outOf(args: readonly string[]): URL {
  const [flag, folder, ...rest] = args;
  if (flag === undefined) return DEFAULT_OUT;
  if (flag !== '--out' || folder === undefined || rest.length > 0)
    throw new Error('expected nothing, or --out and a folder');
  return pathToFileURL(`${folder}/`);
}

if (import.meta.main) {
  const { out, hasWasm, builds } = await pack(outOf(process.argv.slice(2)));
  const { version } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
  console.log(`Packed Lineage ${version} into ${out}`);
  console.log(`sharp builds: ${builds.join(', ')}`);
  if (!hasWasm) console.log('No WASM build of sharp is installed: other platforms than these cannot run it.');
}
