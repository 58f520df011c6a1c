/**
 * Compiles the kernels, which are AssemblyScript. Those of the merge room become a file that threads load; those of PNG
 * are small and become a text that their caller imports. The same sources give the same bytes.
 */
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import binaryen from 'binaryen';

const ROOT = new URL('../../', import.meta.url);

type Kernels = {
  /** Holds `assembly/` and what else the kernels are made from. */
  readonly folder: string;
  readonly entries: readonly string[];
  readonly layout: string;
  readonly out: string;
  readonly render: (binary: Uint8Array) => Uint8Array | string;
};

// The memory comes from outside, is shared, and may grow to 4 GiB; nothing in it is the module's own.
const OPTIONS = [
  '-O3',
  '--noAssert',
  '--runtime=stub',
  '--enable=simd,threads,bulk-memory',
  '--importMemory',
  '--sharedMemory',
  '--initialMemory=1',
  '--maximumMemory=65536',
];

const MERGE: Kernels = {
  folder: 'nodes/merge/kernels',
  entries: ['prepare', 'convert', 'scan', 'sum', 'tiles', 'checksum'],
  layout: 'layout.ts',
  out: 'kernels.wasm',
  render: (binary) => binary,
};

const HALF: Kernels = {
  folder: 'nodes/merge/kernels',
  entries: ['half-sum', 'half-decode'],
  layout: 'layout.ts',
  out: 'half-kernels.wasm',
  render: (binary) => putInstructions(binary, 'half'),
};

const PNG: Kernels = {
  folder: 'nodes/formats/kernels',
  entries: ['png-rows'],
  layout: 'png-rows-layout.ts',
  out: 'png-rows.wasm.ts',
  render: (binary) =>
    `/** Built from assembly/ by \`npm run build:kernels\`: the module, in base64. */\nexport const PNG_ROWS =\n  '${Buffer.from(binary).toString('base64')}';\n`,
};

/** @throws Error with what the compiler says */
async function buildKernels({ folder, entries, out, render }: Kernels): Promise<void> {
  const sources = entries.map((name) => `${folder}/assembly/${name}.ts`);
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [...sources, ...OPTIONS, '--baseDir', fileURLToPath(ROOT), '--outFile', 'kernels.wasm'],
    {
      writeFile(_name, contents) {
        if (typeof contents !== 'string') binary = contents;
      },
    },
  );
  if (error || !binary) throw new Error(`the kernels do not compile:\n${stderr}`, { cause: error });
  // Whole at once: others may be reading.
  const target = new URL(`${folder}/${out}`, ROOT);
  const fresh = new URL(`${out}.${crypto.randomUUID()}`, target);
  writeFileSync(fresh, render(binary));
  renameSync(fresh, target);
}

/**
 * Puts instructions that AssemblyScript does not know in the place of calls: a function that is imported from `module`
 * has the name of one.
 */
function putInstructions(binary: Uint8Array, module: string): Uint8Array {
  const compiled = binaryen.readBinary(binary);
  let text = compiled.emitText();
  compiled.dispose();
  const imported = new RegExp(`\\(import "${module}" "([^"]+)" \\(func (\\S+) .*\\)\\)\\n`);
  for (let found = imported.exec(text); found; found = imported.exec(text)) {
    const [line, instruction = '', name = ''] = found;
    text = text.replace(line, '').replaceAll(`(call ${name}\n`, `(${instruction}\n`);
  }
  const made = binaryen.parseText(text);
  made.setFeatures(binaryen.Features.All);
  if (!made.validate()) throw new Error(`the kernels with instructions of ${module} are not valid`);
  const bytes = made.emitBinary();
  made.dispose();
  return bytes;
}

/** The merge room's modules, made anew where they are missing or older than their sources. */
export async function readKernels(which: 'all' | 'half' = 'all'): Promise<Uint8Array<ArrayBuffer>> {
  const kernels = which === 'all' ? MERGE : HALF;
  if (!isFresh(kernels)) await buildKernels(kernels);
  return readFileSync(new URL(`${kernels.folder}/${kernels.out}`, ROOT));
}

function isFresh({ folder, layout, out }: Kernels): boolean {
  const target = new URL(`${folder}/${out}`, ROOT);
  if (!existsSync(target)) return false;
  const built = statSync(target).mtimeMs;
  const assembly = new URL(`${folder}/assembly/`, ROOT);
  const sources = [
    ...readdirSync(assembly).map((name) => new URL(name, assembly)),
    new URL(`${folder}/${layout}`, ROOT),
    new URL(import.meta.url),
  ];
  return sources.every((source) => statSync(source).mtimeMs <= built);
}

if (import.meta.main) for (const kernels of [MERGE, HALF, PNG]) await buildKernels(kernels);
