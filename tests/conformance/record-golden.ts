import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeWorkFolder, openCheckout, ROOT, startComfyUI } from './comfyui-checkout.ts';
import { CLASSES } from './golden/classes.ts';
import { layModels } from './golden/models.ts';
import { playScript } from './golden/play.ts';
import { writeAnswers } from './golden/write-answers.ts';

/**
 * `node tests/conformance/record-golden.ts PATH_TO_COMFYUI [--python PY]`: plays the script against real ComfyUI 0.8 and
 * writes fixtures/comfy-api/golden.json: statuses, shapes and the words that clients match on.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { python: { type: 'string' }, out: { type: 'string' } },
});
const [path] = positionals;
if (path === undefined) throw new Error('usage: record-golden.ts PATH_TO_COMFYUI [--python PY] [--out FILE]');
const checkout = openCheckout(path, values.python);
const work = makeWorkFolder('golden');
try {
  layModels(join(work.folder, 'base', 'models'));
  const comfyui = await startComfyUI(checkout, work.folder, {
    packs: {
      'testing-pack': join(checkout.folder, 'tests', 'execution', 'testing_nodes', 'testing-pack'),
      golden: join(import.meta.dirname, 'golden', 'pack'),
    },
  });
  try {
    const answers = await playScript(comfyui.url, CLASSES);
    const file = values.out ?? join(ROOT, 'fixtures', 'comfy-api', 'golden.json');
    writeFileSync(file, writeAnswers(answers));
    console.log(`${Object.keys(answers).length} cases of ComfyUI ${checkout.version} written to ${file}`);
  } catch (error) {
    console.error(comfyui.log().slice(-4000));
    throw error;
  } finally {
    await comfyui.stop();
  }
} finally {
  work.remove();
}
