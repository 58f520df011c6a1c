import {
  type Details,
  type DetailValue,
  parseDetails,
  takeObject,
  takeResourceList,
  textTable,
} from './civitai-details.ts';
import { type Loss, lossOf, type Reason } from './losses.ts';
import {
  type Habit,
  lastText,
  type Reader,
  type ReaderReport,
  type ReaderView,
  type SeenResource,
  type Sees,
  unread,
} from './reader.ts';
import { hasCode, isRecord, jsonOf, present, utf8, utf16, windows1252 } from './text.ts';

/**
 * Civitai's upload page, which looks for A1111's text first and for a ComfyUI graph only where there is none.
 *
 * @see https://github.com/civitai/civitai/tree/main/src/utils/metadata (rules read at ebed661630, August 2026)
 */
const IGNORED_KEYS = new Set(
  'hashes civitaiResources scheduler vaes additionalResources comfy upscalers models controlNets denoise other external'.split(
    ' ',
  ),
);
/** The details line ends where one of these stands, wherever that is. */
const LINE_ENDERS = ['Resources: ', 'Hashed prompt: ', 'Hashed Negative prompt: '];
const TEMPLATES = ['Template: ', 'Negative Template: '];
const NUMBERS = ['steps', 'cfgScale', 'seed', 'clipSkip'];
const RESOURCE_TAG = /^(lora|hypernet):([\w.-]+):([\d.]+)$/;
const MODEL_TAG = 0x0110;

const HABITS: readonly Habit[] = [
  {
    about: ['prompt', 'workflow'],
    when: () => true,
    loss: 'graph-not-looked-at',
  },
  {
    about: ['positive', 'negative'],
    when: (text) => text.includes('Negative prompt:'),
    loss: 'negative-mark-in-prompt-civitai',
  },
  {
    about: ['positive', 'negative'],
    when: (text) => TEMPLATES.some((key) => text.startsWith(key) || text.includes(`\n${key}`)),
    loss: 'template-line',
  },
  {
    about: [
      'positive',
      'negative',
      'steps',
      'sampler',
      'cfg',
      'seed',
      'size',
      'model',
      'modelHash',
      'hashes',
    ],
    when: (_, { prompts }) => `\n${prompts}`.includes('\nSteps: '),
    loss: 'steps-in-prompt-civitai',
  },
  {
    about: ['positive', 'negative'],
    when: (text) => /\n[^\S\n]*\n/.test(text),
    loss: 'blank-lines-dropped',
  },
  {
    about: ['seed'],
    when: (text) => text !== String(Number(text)),
    loss: 'seed-rounded-civitai',
  },
];

export const civitai: Reader = {
  id: 'civitai',
  name: 'Civitai',
  holds: [
    'positive',
    'negative',
    'steps',
    'sampler',
    'cfg',
    'seed',
    'size',
    'model',
    'modelHash',
    'clipSkip',
    'hashes',
    'prompt',
    'workflow',
  ],
  habits: HABITS,
  otherKeys: 'key-lost-civitai',
  read(view) {
    const text = textOf(view);
    return text?.includes('Steps: ') ? readText(text) : readGraph(view, text);
  },
};

/** `parameters` of a PNG, else the UserComment; a JPEG comment is never looked at. */
function textOf(view: ReaderView): string | undefined {
  const chunk = lastText(view, 'parameters');
  if (chunk?.text) return chunk.text;
  return view.userComment && decodeComment(view.userComment);
}

/** The byte order is guessed: by a mark, else by whether zero bytes are more often first or second. */
function decodeComment(comment: Uint8Array): string {
  if (comment.length < 8) return '';
  const body = comment.subarray(8);
  if (hasCode(comment, 'ASCII')) return windows1252(body);
  if (hasCode(comment, 'UTF8')) return utf8(body);
  if (body[0] === 0xfe && body[1] === 0xff) return utf16(body.subarray(2), 'be').replaceAll('\0', '');
  if (body[0] === 0xff && body[1] === 0xfe) return utf16(body.subarray(2), 'le').replaceAll('\0', '');
  const sample = body.subarray(0, Math.min(body.length, 1000) & ~1);
  const zeros = [0, 0];
  sample.forEach((byte, at) => {
    if (byte === 0) zeros[at & 1] = (zeros[at & 1] ?? 0) + 1;
  });
  const [first = 0, second = 0] = zeros;
  return utf16(body, second > first ? 'le' : 'be').replaceAll('\0', '');
}

function readGraph(view: ReaderView, text: string | undefined): ReaderReport {
  const model = view.ifd0Ascii.find((tag) => tag.tag === MODEL_TAG);
  const exifPrompt = model !== undefined && utf8(model.bytes).startsWith('prompt:');
  const prompt = lastText(view, 'prompt') !== undefined || exifPrompt;
  const workflow = lastText(view, 'workflow') !== undefined;
  if (prompt)
    return { reader: 'civitai', ok: true, sees: { prompt, workflow, fromGraph: true }, problems: [] };
  return unread('civitai', text ? { id: 'steps-missing', inLine: false } : { id: 'civitai-no-data' });
}

function readText(text: string): ReaderReport {
  const lines = withoutTemplates(text.split('\n').filter((line) => line.trim() !== ''));
  const at = lines.findIndex((line) => line.startsWith('Steps: '));
  const [details = ''] = at < 0 ? [] : lines.splice(at, 1);
  const [positive = '', ...negatives] = lines
    .join('\n')
    .split('Negative prompt:')
    .map((part) => part.trim());
  const facts = readDetails(cutTail(details.replace(/,\s*$/, '')));
  if ('id' in facts) return unread('civitai', facts);

  const resources = resourcesOf(positive, facts);
  const sees = {
    positive,
    negative: negatives.join(' ').trim(),
    ...seenOf(facts),
    resources,
  };
  const reason = rejection(facts, resources);
  if (reason) return unread('civitai', reason);
  return { reader: 'civitai', ok: true, sees, problems: problemsOf(positive, at, sees) };
}

/** A template goes with the lines below it, up to one that holds a word, a colon and a space. */
function withoutTemplates(lines: readonly string[]): string[] {
  const kept = [...lines];
  for (const key of TEMPLATES) {
    const start = kept.findIndex((line) => line.startsWith(key));
    if (start < 0) continue;
    let end = start + 1;
    while (end < kept.length && !/[\w\s]: /.test(kept[end] ?? '')) end++;
    kept.splice(start, end - start);
  }
  return kept;
}

function cutTail(line: string): string {
  const ends = LINE_ENDERS.map((key) => line.indexOf(key)).filter((at) => at >= 0);
  return ends.length === 0 ? line : line.slice(0, Math.min(...ends));
}

type Facts = {
  readonly details: Details;
  readonly hashes: Readonly<Record<string, unknown>>;
  readonly listed: readonly unknown[];
};

/** The details, or why Civitai throws everything away. */
function readDetails(line: string): Facts | Reason {
  const hashes = takeObject(line, 'Hashes');
  const table = hashes.json === undefined ? {} : textTable(hashes.json);
  if (!table) return { id: 'hashes-not-texts' };
  const resources = takeResourceList(hashes.rest);
  const listed = resources.json === undefined ? [] : jsonOf(resources.json);
  if (!Array.isArray(listed)) return { id: 'resources-not-a-list' };
  const extra = takeObject(resources.rest, 'Civitai metadata');
  if (extra.json !== undefined && !isRecord(jsonOf(extra.json))) {
    return { id: 'civitai-metadata-not-an-object' };
  }
  const kept = Object.entries(parseDetails(extra.rest)).filter(([key]) => !IGNORED_KEYS.has(key));
  return { details: Object.fromEntries(kept), hashes: table, listed };
}

function hashesOf({ details, hashes }: Facts): Record<string, unknown> {
  const all: Record<string, unknown> = { ...hashes };
  for (const [name, hash] of Object.entries(details['Lora hashes'] ?? {})) all[`lora:${name}`] = hash;
  if (details['VAE hash']) all['vae'] = details['VAE hash'];
  if (details['Model'] && details['Model hash'] && !all['model']) all['model'] = details['Model hash'];
  return all;
}

function resourcesOf(positive: string, { details, listed }: Facts): SeenResource[] {
  const found: SeenResource[] = [];
  for (const [, inside = ''] of positive.matchAll(/<([^<>]*)>/g)) {
    const [, type, name, weight] = RESOURCE_TAG.exec(inside) ?? [];
    if (type && name && weight) found.push({ type, name, weight: Number.parseFloat(weight) });
  }
  // The first of a name.
  const tagAt = new Map(found.map(({ name }, at): [string, number] => [name, at]).toReversed());
  for (const [name, hash] of Object.entries(details['Lora hashes'] ?? {})) {
    const at = tagAt.get(name);
    const tagged = at === undefined ? undefined : found[at];
    if (at !== undefined && tagged) found[at] = { ...tagged, hash };
    else found.push({ type: 'lora', name, hash });
  }
  const [model, hash] = [textIn(details, 'Model'), textIn(details, 'Model hash')];
  if (model && hash) found.push({ type: 'model', name: model, hash });
  for (const item of listed) {
    if (!isRecord(item)) continue;
    const weight = item['weight'];
    const name = String(item['modelVersionId'] ?? item['air'] ?? '');
    found.push({ type: String(item['type'] ?? ''), name, ...(typeof weight === 'number' ? { weight } : {}) });
  }
  return found;
}

/** One value of the wrong kind and the site shows nothing at all. */
function rejection(facts: Facts, resources: readonly SeenResource[]): Reason | undefined {
  for (const key of NUMBERS) {
    const value = facts.details[key];
    if (value !== undefined && !(typeof value === 'string' && Number.isFinite(Number(value)))) {
      return { id: 'number-expected', key, got: shown(value) };
    }
  }
  const sampler = facts.details['sampler'];
  if (sampler !== undefined && typeof sampler !== 'string') return { id: 'sampler-quoted' };
  if (Object.values(hashesOf(facts)).some((hash) => typeof hash !== 'string')) {
    return { id: 'hash-not-a-text' };
  }
  if (resources.some((resource) => Number.isNaN(resource.weight))) {
    return { id: 'lora-weight-not-a-number' };
  }
  return undefined;
}

function seenOf(facts: Facts): Sees {
  const { details, listed } = facts;
  const hashes = Object.entries(hashesOf(facts)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const size = textIn(details, 'Size');
  const seed = textIn(details, 'seed');
  return present({
    steps: textIn(details, 'steps'),
    sampler: textIn(details, 'sampler'),
    cfg: textIn(details, 'cfgScale'),
    seed: seed === undefined ? undefined : String(Number(seed)),
    clipSkip: textIn(details, 'clipSkip'),
    size: size !== undefined && /^\d+x\d+$/.test(size) ? size : undefined,
    model: textIn(details, 'Model'),
    modelHash: textIn(details, 'Model hash'),
    hashes: hashes.length > 0 ? Object.fromEntries(hashes) : undefined,
    // The list is taken out of the line before the keys are read, and shown.
    values: listed.length > 0 ? { ...details, 'Civitai resources': JSON.stringify(listed) } : details,
  });
}

function problemsOf(positive: string, detailsAt: number, sees: Sees): Loss[] {
  const problems: Loss[] = [];
  if (detailsAt < 0) problems.push(lossOf('details', { id: 'steps-missing', inLine: true }));
  for (const [tag, inside = ''] of positive.matchAll(/<((?:lora|hypernet):[^<>]*)>/g)) {
    if (!RESOURCE_TAG.test(inside)) problems.push(lossOf(tag, { id: 'lora-tag-invisible' }));
  }
  for (const resource of sees.resources ?? []) {
    if (resource.type === 'lora' && resource.weight === undefined) {
      problems.push(lossOf(`weight of ${resource.name}`, { id: 'lora-weight-unknown' }));
    }
  }
  if (sees.model && !sees.modelHash) problems.push(lossOf('model link', { id: 'model-hash-missing' }));
  return problems;
}

function textIn(details: Details, key: string): string | undefined {
  const value = details[key];
  return typeof value === 'string' ? value : undefined;
}

function shown(value: DetailValue): string {
  return typeof value === 'string' ? JSON.stringify(value) : 'a quoted list';
}
