import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A ComfyUI that the person who runs us has, and the Python that runs it. */
export type Checkout = {
  readonly folder: string;
  readonly python: string;
  /** As `comfyui_version.py` says, e.g. `0.8.0`. */
  readonly version: string;
};

/** A ComfyUI that runs. */
export type RunningComfyUI = {
  readonly url: string;
  /** The base directory: `input output temp user models custom_nodes`. */
  readonly base: string;
  readonly process: ChildProcess;
  /** All it wrote so far, both streams. */
  log(): string;
  /** Ends it as Ctrl-C does, and waits. */
  stop(): Promise<void>;
};

/** The slowest start seen on a busy machine of two cores was 60 s. */
const BOOT_SECONDS = 300;

/**
 * Checks that a folder is a ComfyUI checkout.
 * @throws Error naming what is missing.
 */
export function openCheckout(path: string, python = process.env['LINEAGE_PYTHON'] ?? 'python3'): Checkout {
  const folder = resolve(path);
  const file = join(folder, 'comfyui_version.py');
  if (!existsSync(file)) throw new Error(`${folder} is no ComfyUI checkout: it has no comfyui_version.py`);
  const version = /"(\d[^"]*)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? 'unknown';
  return { folder, python, version };
}

/**
 * Empty modules for what ComfyUI imports and a machine without a GPU may lack (reference 7.1): with them it starts, and
 * what would need the real ones fails when used.
 * @returns a folder for PYTHONPATH.
 */
export function writeStubs(python: string, into: string): string {
  const folder = join(into, 'stubs');
  const lacks = (name: string): boolean => {
    try {
      execFileSync(python, [
        '-c',
        `import importlib.util as u, sys; sys.exit(u.find_spec("${name}") is None)`,
      ]);
      return false;
    } catch {
      return true;
    }
  };
  const missing = [
    'def __getattr__(name):',
    "    if name.startswith('__'): raise AttributeError(name)",
    '    class Missing:',
    "        def __init__(self, *_, **__): raise RuntimeError('a stub has no ' + name)",
    '    return Missing',
    '',
  ].join('\n');
  mkdirSync(folder, { recursive: true });
  if (lacks('torchvision')) {
    mkdirSync(join(folder, 'torchvision', 'transforms'), { recursive: true });
    writeFileSync(
      join(folder, 'torchvision', '__init__.py'),
      "__version__ = '0'\nfrom . import transforms\n",
    );
    writeFileSync(
      join(folder, 'torchvision', 'transforms', '__init__.py'),
      `from . import functional\n${missing}`,
    );
    writeFileSync(join(folder, 'torchvision', 'transforms', 'functional.py'), missing);
  }
  if (lacks('torchsde')) {
    mkdirSync(join(folder, 'torchsde'));
    writeFileSync(join(folder, 'torchsde', '__init__.py'), missing);
  }
  return folder;
}

/** A page that stands for the front end: ComfyUI does not start without one. */
export function writeFrontEnd(into: string): string {
  const folder = join(into, 'front-end');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>ComfyUI</title>\n');
  return folder;
}

/** A folder for one run; `remove` takes it away. */
export function makeWorkFolder(name: string): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), `lineage-${name}-`));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const address = probe.address();
  await new Promise((done) => probe.close(done));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/**
 * Starts real ComfyUI on the CPU with a base directory of its own under `work`, and waits until it answers.
 * @param packs folders to link into `custom_nodes`; no other pack is loaded.
 * @throws Error with the end of its log when it does not come up.
 */
export async function startComfyUI(
  checkout: Checkout,
  work: string,
  options: {
    readonly packs?: Readonly<Record<string, string>>;
    readonly flags?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly frontEnd?: string;
  } = {},
): Promise<RunningComfyUI> {
  const base = join(work, 'base');
  for (const folder of ['user', 'custom_nodes', 'models', 'input', 'output', 'temp']) {
    mkdirSync(join(base, folder), { recursive: true });
  }
  const packs = Object.entries(options.packs ?? {});
  for (const [name, folder] of packs) {
    const link = join(base, 'custom_nodes', name);
    if (!existsSync(link)) symlinkSync(folder, link, 'dir');
  }
  const port = await freePort();
  const child = spawn(
    checkout.python,
    [
      join(checkout.folder, 'main.py'),
      ...['--cpu', '--port', String(port), '--base-directory', base],
      ...['--front-end-root', options.frontEnd ?? writeFrontEnd(work)],
      ...['--disable-api-nodes', '--disable-all-custom-nodes', '--database-url', 'sqlite:///:memory:'],
      ...(packs.length > 0 ? ['--whitelist-custom-nodes', ...packs.map(([name]) => name)] : []),
      ...(options.flags ?? []),
    ],
    {
      cwd: checkout.folder,
      env: { ...process.env, ...options.env, PYTHONPATH: writeStubs(checkout.python, work) },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
  };
  const url = `http://127.0.0.1:${port}`;
  for (let second = 0; second < BOOT_SECONDS * 4; second++) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    try {
      await fetch(`${url}/prompt`);
      return { url, base, process: child, log: () => log, stop };
    } catch {
      // It does not listen yet.
      await sleep(250);
    }
  }
  await stop();
  throw new Error(`ComfyUI did not start:\n${log.slice(-4000)}`);
}

/** The root of our own checkout. */
export const ROOT: string = resolve(dirname(import.meta.filename), '..', '..');
