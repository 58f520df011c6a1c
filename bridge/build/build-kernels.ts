/**
 * Compiles the kernels of the merge room, `nodes/merge/kernels/assembly/`, to `nodes/merge/kernels/kernels.wasm`.
 * The same sources give the same bytes.
 */
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const ROOT = new URL('../../', import.meta.url);
const KERNELS = 'nodes/merge/kernels';
const ENTRIES = ['prepare', 'convert', 'scan', 'sum'].map((name) => `${KERNELS}/assembly/${name}.ts`);
const OUT = new URL(`${KERNELS}/kernels.wasm`, ROOT);

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

/** @throws Error with what the compiler says */
async function buildKernels(): Promise<void> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [...ENTRIES, ...OPTIONS, '--baseDir', fileURLToPath(ROOT), '--outFile', 'kernels.wasm'],
    {
      writeFile(_name, contents) {
        if (typeof contents !== 'string') binary = contents;
      },
    },
  );
  if (error || !binary) throw new Error(`the kernels do not compile:\n${stderr}`, { cause: error });
  // Whole at once: others may be reading.
  const fresh = new URL(`kernels.wasm.${crypto.randomUUID()}`, OUT);
  writeFileSync(fresh, binary);
  renameSync(fresh, OUT);
}

/** The built module, made anew where it is missing or older than its sources. */
export async function readKernels(): Promise<Uint8Array<ArrayBuffer>> {
  if (!isFresh()) await buildKernels();
  return readFileSync(OUT);
}

function isFresh(): boolean {
  if (!existsSync(OUT)) return false;
  const built = statSync(OUT).mtimeMs;
  const folder = new URL(`${KERNELS}/assembly/`, ROOT);
  const sources = [
    ...readdirSync(folder).map((name) => new URL(name, folder)),
    new URL(`${KERNELS}/layout.ts`, ROOT),
    new URL(import.meta.url),
  ];
  return sources.every((source) => statSync(source).mtimeMs <= built);
}

if (import.meta.main) await buildKernels();
