import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isRecord } from '../../nodes/kit/is-record.ts';
import { makeWorkFolder, openCheckout, ROOT, startComfyUI } from './comfyui-checkout.ts';

/**
 * `node tests/conformance/record-object-info.ts PATH_TO_COMFYUI [--python PY]`: writes what `lineage convert` knows of
 * ComfyUI's own classes, one a line: names, types, menus and defaults of inputs, and the types of outputs. Its texts,
 * and limits that no workflow depends on, stay out; so do nodes of paid services, and its folders of models are empty.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string' },
    out: { type: 'string', default: join(ROOT, 'nodes', 'workflow', 'core-object-info.jsonl') },
  },
});
const [path] = positionals;
if (path === undefined)
  throw new Error('usage: record-object-info.ts PATH_TO_COMFYUI [--python PY] [--out FILE]');

/** Options that say which widgets there are, what they hold and in which order. */
const KEPT = [
  ...[
    'default',
    'options',
    'template',
    'forceInput',
    'widgetType',
    'control_after_generate',
    'dynamicPrompts',
  ],
  ...['image_upload', 'animated_image_upload', 'video_upload', 'audio_upload', 'file_upload', 'remote'],
];
/** Classes in files that import these are declared without them. */
const STUBBED = ['torchaudio', 'spandrel'];

const checkout = openCheckout(path, values.python);
const work = makeWorkFolder('object-info');
try {
  for (const name of STUBBED) {
    mkdirSync(join(work.folder, 'stubs', name), { recursive: true });
    writeFileSync(
      join(work.folder, 'stubs', name, '__init__.py'),
      "def __getattr__(name):\n    if name.startswith('__'): raise AttributeError(name)\n    return type(name, (), {})\n",
    );
  }
  const comfyui = await startComfyUI(checkout, work.folder);
  try {
    const response = await fetch(`${comfyui.url}/object_info`);
    const classes: unknown = await response.json();
    if (!isRecord(classes)) throw new Error('no object info');
    const lines = Object.entries(classes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, entry]) => JSON.stringify({ name, ...shorten(entry) }));
    writeFileSync(values.out, `${lines.join('\n')}\n`);
    console.log(`${lines.length} classes of ComfyUI ${checkout.version} written to ${values.out}`);
    const failed = comfyui.log().match(/\(IMPORT FAILED\).*|Cannot import .*/g) ?? [];
    console.log(failed.length === 0 ? 'every file of nodes was loaded' : `left out: ${failed.join('; ')}`);
  } finally {
    await comfyui.stop();
  }
} finally {
  work.remove();
}

function shorten(entry: unknown): object {
  if (!isRecord(entry)) return {};
  const input = isRecord(entry['input']) ? entry['input'] : {};
  const groups = Object.entries(input).filter(([group]) => group === 'required' || group === 'optional');
  return {
    display_name: entry['display_name'] ?? undefined,
    input: Object.fromEntries(groups.map(([group, inputs]) => [group, shortenInputs(inputs)])),
    output: entry['output'],
  };
}

function shortenInputs(inputs: unknown): object {
  if (!isRecord(inputs)) return {};
  return Object.fromEntries(Object.entries(inputs).map(([name, spec]) => [name, shortenSpec(spec)]));
}

/** The words of dynamic menus and of growing groups hold inputs of their own. */
function shortenSpec(spec: unknown): unknown {
  if (!Array.isArray(spec)) return spec;
  const [type, options]: readonly unknown[] = spec;
  if (!isRecord(options)) return [type];
  const kept = Object.entries(options).filter(([name]) => KEPT.includes(name));
  if (kept.length === 0) return [type];
  return [type, Object.fromEntries(kept.map(([name, value]) => [name, shortenNested(name, value)]))];
}

function shortenNested(name: string, value: unknown): unknown {
  if (name === 'template' && isRecord(value) && isRecord(value['input'])) {
    return { ...value, input: shortenGroups(value['input']) };
  }
  if (name !== 'options' || !Array.isArray(value)) return value;
  return value.map((option: unknown) =>
    isRecord(option) && isRecord(option['inputs'])
      ? { key: option['key'], inputs: shortenGroups(option['inputs']) }
      : option,
  );
}

function shortenGroups(groups: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(groups).map(([group, inputs]) => [group, shortenInputs(inputs)]));
}
