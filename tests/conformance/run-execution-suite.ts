import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Checkout,
  freePort,
  makeWorkFolder,
  openCheckout,
  ROOT,
  writeFrontEnd,
  writeStubs,
} from './comfyui-checkout.ts';

/**
 * `npm run conformance -- PATH_TO_COMFYUI [--python PY]`: ComfyUI's own execution tests, taken unmodified from the
 * checkout given (they are GPL-3.0 and never part of this repository), against `lineage serve`.
 *
 * Every test that real ComfyUI 0.8 passes must pass. Which these are is recorded in
 * fixtures/comfy-api/execution-suite-0.8.json, by this script with `--against-real --record`.
 *
 * The tests start `python main.py` in their own folder, so that is what they get: a folder with their tests, a
 * `main.py` of ours that becomes our server, and a stand-in for torch, of which the client uses one function.
 */
const HERE = import.meta.dirname;
const RECORD = join(ROOT, 'fixtures', 'comfy-api', 'execution-suite-0.8.json');
/** Unit tests of ComfyUI's Python; nothing in them reaches a server. */
const NO_SERVER = 'tests/execution/test_jobs.py';

type Outcomes = Readonly<Record<string, string>>;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string' },
    'against-real': { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    /** pytest's `-k`. */
    only: { type: 'string' },
  },
});

const [path] = positionals;
if (path === undefined) {
  console.log(
    'skipped: the execution suite needs a ComfyUI checkout: npm run conformance -- PATH_TO_COMFYUI',
  );
} else {
  process.exitCode = await main(openCheckout(path, values.python));
}

async function main(checkout: Checkout): Promise<number> {
  execFileSync(checkout.python, ['-c', 'import pytest, numpy, PIL, websocket'], { stdio: 'inherit' });
  const work = makeWorkFolder('conformance');
  try {
    const outcomes = await runSuite(checkout, work.folder);
    if (values.record) writeFileSync(RECORD, `${JSON.stringify(outcomes, undefined, 1)}\n`);
    return values['against-real'] ? 0 : compare(outcomes);
  } finally {
    work.remove();
  }
}

/** Lays the folder out, runs pytest in it, and gives each test's outcome. */
async function runSuite(checkout: Checkout, folder: string): Promise<Outcomes> {
  cpSync(join(checkout.folder, 'tests'), join(folder, 'tests'), { recursive: true });
  mkdirSync(join(folder, 'comfy_execution'));
  cpSync(
    join(checkout.folder, 'comfy_execution', 'graph_utils.py'),
    join(folder, 'comfy_execution', 'graph_utils.py'),
  );
  mkdirSync(join(folder, 'torch'));
  cpSync(join(HERE, 'execution-suite', 'torch_stub.py'), join(folder, 'torch', '__init__.py'));
  const main = values['against-real'] ? 'main_real.py' : 'main_lineage.py';
  cpSync(join(HERE, 'execution-suite', main), join(folder, 'main.py'));
  cpSync(join(HERE, 'execution-suite', 'outcomes.py'), join(folder, 'outcomes.py'));
  // The tests ask for `python`; a link would lose a virtual environment, which is found beside the program.
  mkdirSync(join(folder, 'bin'));
  const program = execFileSync(checkout.python, ['-c', 'import sys; print(sys.executable)'], {
    encoding: 'utf8',
  }).trim();
  writeFileSync(join(folder, 'bin', 'python'), `#!/bin/sh\nexec '${program}' "$@"\n`, { mode: 0o755 });

  const results = join(folder, 'outcomes.json');
  await new Promise<void>((done, fail) => {
    freePort().then((port) => {
      const child = spawn(
        join(folder, 'bin', 'python'),
        [
          ...[
            '-m',
            'pytest',
            'tests/execution',
            '-o',
            'addopts=',
            '-p',
            'outcomes',
            '-p',
            'no:cacheprovider',
          ],
          ...['--tb=short', '-q', '--disable-warnings', '--ignore', NO_SERVER, '--port', String(port)],
          ...['--output_dir', join(folder, 'output'), ...(values.only ? ['-k', values.only] : [])],
        ],
        {
          cwd: folder,
          stdio: 'inherit',
          env: {
            ...process.env,
            PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
            SUITE_OUTCOMES: results,
            SUITE_NODE: process.execPath,
            SUITE_PROGRAM: join(ROOT, 'bridge', 'lineage.mjs'),
            SUITE_NODES: join(HERE, 'nodes'),
            SUITE_COMFYUI: checkout.folder,
            SUITE_FRONT_END: writeFrontEnd(folder),
            LINEAGE_HOME: join(folder, 'home'),
            ...(values['against-real'] && { PYTHONPATH: writeStubs(checkout.python, folder) }),
          },
        },
      );
      child.once('error', fail).once('close', () => done());
    }, fail);
  });
  if (!existsSync(results)) throw new Error('pytest ended without a result');
  return JSON.parse(readFileSync(results, 'utf8')) as Outcomes;
}

/** Prints the counts and every test that real ComfyUI passes and we do not. */
function compare(ours: Outcomes): number {
  const real = JSON.parse(readFileSync(RECORD, 'utf8')) as Outcomes;
  const wanted = Object.keys(real).filter((id) => real[id] === 'passed' && (!values.only || id in ours));
  const missed = wanted.filter((id) => ours[id] !== 'passed');
  for (const id of missed) console.log(`${ours[id] ?? 'did not run'}: ${id}`);
  const count = (outcome: string): number => Object.values(ours).filter((one) => one === outcome).length;
  console.log(
    `lineage: ${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped; ` +
      `${wanted.length - missed.length} of the ${wanted.length} that ComfyUI 0.8 passes`,
  );
  return missed.length === 0 ? 0 : 1;
}
