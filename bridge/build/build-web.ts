/**
 * Builds what runs in a browser: `web/dist/page` (our own page), `web/dist/view` (the page of `lineage view`) and
 * `web/dist/comfyui` (the extension of ComfyUI's front end, with the help pages of the nodes). Readable, with source
 * maps.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { helpPages } from './help-pages.ts';
import { rootSourceMaps } from './root-source-maps.ts';

const ROOT = new URL('../../', import.meta.url);

/**
 * The front end's own modules stay outside. The extension is served two folders below its root
 * (`/extensions/<pack>/lineage.js`), so that is where they are from there.
 */
const frontEndModules: Plugin = {
  name: 'front-end-modules',
  setup({ onResolve }) {
    onResolve({ filter: /\/scripts\/(app|api)\.js$/ }, ({ path }) => ({
      path: `../../scripts/${path.split('/').at(-1)}`,
      external: true,
    }));
  },
};

const OPTIONS = {
  bundle: true,
  format: 'esm',
  target: 'es2023',
  sourcemap: 'linked',
  charset: 'utf8',
  legalComments: 'inline',
  logLevel: 'warning',
  absWorkingDir: fileURLToPath(ROOT),
} as const;

/** Builds our own page. @param out its folder, ending in `/`; made anew */
export async function buildPage(out: URL): Promise<void> {
  await buildSite('page', out);
}

/** Builds the page of `lineage view`. @param out its folder, ending in `/`; made anew */
export async function buildView(out: URL): Promise<void> {
  await buildSite('view', out);
}

/** A page with its script and style, both of its name. */
async function buildSite(name: 'page' | 'view', out: URL): Promise<void> {
  makeAnew(out);
  const outdir = fileURLToPath(out);
  // Script and style have one name, and two entries cannot.
  for (const source of [`web/${name}/main.ts`, `web/${name}/${name}.css`])
    await build({ ...OPTIONS, entryPoints: { [name]: source }, outdir });
  rootSourceMaps(outdir, fileURLToPath(ROOT));
  cpSync(new URL(`web/${name}/index.html`, ROOT), new URL('index.html', out));
  cpSync(new URL('web/page/icon.svg', ROOT), new URL('icon.svg', out));
}

/**
 * Builds the extension, with the help pages of the nodes in `docs/`, where the front end looks for them.
 * @param out its folder, ending in `/`; made anew
 */
export async function buildExtension(out: URL): Promise<void> {
  makeAnew(out);
  await build({
    ...OPTIONS,
    // ComfyUI loads every .js of the folder: there is to be one.
    entryPoints: { lineage: 'web/comfyui/lineage.ts' },
    outdir: fileURLToPath(out),
    loader: { '.css': 'text' },
    plugins: [frontEndModules],
  });
  rootSourceMaps(fileURLToPath(out), fileURLToPath(ROOT));
  mkdirSync(new URL('docs/', out));
  for (const [name, text] of helpPages()) writeFileSync(new URL(`docs/${name}`, out), text);
}

function makeAnew(folder: URL): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

if (import.meta.main) {
  await buildPage(new URL('web/dist/page/', ROOT));
  await buildView(new URL('web/dist/view/', ROOT));
  await buildExtension(new URL('web/dist/comfyui/', ROOT));
}
