import { lossOf } from './losses.ts';
import { type Habit, type Reader, type ReaderReport, type ReaderView, unread } from './reader.ts';
import {
  bytesOfLatin1,
  hasCode,
  isRecord,
  jsonOf,
  present,
  strictUtf8,
  utf8,
  utf16,
  windows1252,
} from './text.ts';

/** What it takes from a parameters text. */
const FROM_TEXT = [
  'positive',
  'negative',
  'steps',
  'sampler',
  'scheduler',
  'cfg',
  'seed',
  'size',
  'model',
  'modelHash',
  'clipSkip',
] as const;

/**
 * enslo's sd-metadata, a TypeScript library that reads what many generators write.
 *
 * @see https://github.com/enslo/sd-metadata (rules read at 0270638ac6, August 2026)
 */
const HABITS: readonly Habit[] = [
  {
    about: ['positive', 'negative'],
    when: (_, { prompts }) => prompts.includes('Negative prompt:'),
    loss: 'negative-mark-in-prompt-sd-metadata',
  },
  {
    about: FROM_TEXT,
    when: (_, { prompts }) => prompts.includes('Steps:'),
    loss: 'steps-in-prompt-sd-metadata',
  },
  {
    about: ['modelHash'],
    when: () => true,
    loss: 'model-hash-overridden',
  },
  {
    about: ['seed'],
    when: (text) => text !== String(Number(text)),
    loss: 'seed-rounded-sd-metadata',
  },
  {
    about: ['steps', 'sampler', 'scheduler', 'cfg', 'size', 'model', 'clipSkip'],
    when: () => true,
    loss: 'value-dropped',
  },
];

/** Settings longer than this are not parsed at all. */
const MAX_SETTINGS_CHARS = 10_000;
/** Tags of IFD0 that may hold `keyword: text`, and the keyword where they hold none. */
const PREFIXED_TAGS: ReadonlyMap<number, string> = new Map([
  [0x010e, 'ImageDescription'],
  [0x010f, 'Make'],
  [0x0110, 'Model'],
]);

export const sdMetadata: Reader = {
  id: 'sd-metadata',
  name: 'sd-metadata',
  holds: [...FROM_TEXT, 'prompt', 'workflow'],
  habits: HABITS,
  read(view) {
    if (view.format === 'avif') return unread('sd-metadata', { id: 'sd-metadata-format' });
    const texts = view.format === 'png' ? pngTexts(view) : exifTexts(view);
    const graph = readGraph(texts);
    if (graph) return graph;
    const text = texts.get('parameters') ?? texts.get('UserComment');
    if (!text)
      return unread('sd-metadata', {
        id: view.comments.length > 0 ? 'sd-metadata-comment' : 'sd-metadata-no-text',
      });
    if (!isParameters(text)) return unread('sd-metadata', { id: 'sd-metadata-unknown-text' });
    return readText(text);
  },
};

/** tEXt is tried as UTF-8 first; compressed iTXt and zTXt are skipped. */
function pngTexts(view: ReaderView): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { keyword, text, chunk, compressed } of view.pngTexts) {
    if (compressed) continue;
    const bytes = bytesOfLatin1(text);
    texts.set(keyword, chunk === 'tEXt' ? (strictUtf8(bytes) ?? windows1252(bytes)) : text);
  }
  return texts;
}

function exifTexts(view: ReaderView): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { tag, bytes } of view.ifd0Ascii) {
    const plain = PREFIXED_TAGS.get(tag);
    if (plain === undefined) continue;
    const text = utf8(bytes).replace(/\0$/, '').trim();
    const [prefix, keyword] = /^([A-Za-z]{1,64}):(?:\s|(?=\{))/.exec(text) ?? [];
    if (prefix !== undefined && keyword !== undefined) texts.set(keyword, text.slice(prefix.length));
    else texts.set(plain, text);
  }
  const comment = view.userComment && decodeComment(view.userComment, view.bigEndian);
  if (comment) texts.set('UserComment', comment);
  return texts;
}

/** A first character below U+0100 gives the byte order away; else the TIFF block's own counts. */
function decodeComment(comment: Uint8Array, bigEndian: boolean): string | undefined {
  const body = comment.subarray(8);
  if (hasCode(comment, 'UNICODE\0')) {
    const [first, second] = body;
    const order =
      first !== 0 && second === 0 ? 'le' : first === 0 && second !== 0 ? 'be' : bigEndian ? 'be' : 'le';
    return untilNul(utf16(body, order).replace(/^\ufeff/, ''));
  }
  if (hasCode(comment, 'ASCII\0\0\0')) return untilNul(windows1252(body));
  return comment.length < 8 ? undefined : strictUtf8(comment)?.replace(/\0$/, '');
}

function untilNul(text: string): string {
  return text.split('\0', 1)[0] ?? '';
}

/** A graph is preferred to the text wherever both are. */
function readGraph(texts: ReadonlyMap<string, string>): ReaderReport | undefined {
  const workflow = texts.get('workflow') ?? texts.get('Workflow');
  const prompt = texts.get('prompt') ?? texts.get('Prompt');
  if (workflow === undefined && !(prompt?.startsWith('{') && prompt.includes('class_type'))) return undefined;
  const hasPrompt = prompt !== undefined && isRecord(jsonOf(withoutNaN(prompt)));
  const parsed = workflow === undefined ? undefined : jsonOf(withoutNaN(workflow));
  const hasWorkflow = isRecord(parsed) && Array.isArray(parsed['nodes']);
  if (!hasPrompt && (prompt !== undefined || !hasWorkflow)) return undefined;
  const problems = hasPrompt ? [] : [lossOf('prompts and settings', { id: 'workflow-alone' })];
  const sees = { prompt: hasPrompt, workflow: workflow !== undefined, fromGraph: true };
  return { reader: 'sd-metadata', ok: true, sees, problems };
}

function withoutNaN(json: string): string {
  return json.replace(/\0+$/, '').replace(/([:,[]\s{0,64})NaN\b/g, '$1null');
}

function isParameters(text: string): boolean {
  if (text.startsWith('{')) return false;
  return (
    ['Steps:', 'Sampler:', 'Negative prompt:'].some((mark) => text.includes(mark)) ||
    /(?:^|[,\n])\s{0,64}Version:/.test(text)
  );
}

function readText(text: string): ReaderReport {
  const negativeAt = text.indexOf('Negative prompt:');
  const stepsAt = text.indexOf('Steps:');
  const settingsAt = stepsAt < 0 ? text.length : text.lastIndexOf('\n', stepsAt);
  const settings = text.slice(settingsAt).trim();
  const values = settingsOf(settings);
  const numberOf = (key: string) => {
    const value = Number.parseFloat(values.get(key) ?? '');
    return Number.isNaN(value) ? undefined : String(value);
  };
  const sees = present({
    positive: text.slice(0, negativeAt < 0 ? settingsAt : negativeAt).trim(),
    negative: negativeAt < 0 ? '' : text.slice(negativeAt + 'Negative prompt:'.length, settingsAt).trim(),
    steps: numberOf('Steps'),
    sampler: values.get('Sampler'),
    scheduler: values.get('Schedule type'),
    cfg: numberOf('CFG scale') ?? numberOf('CFG Scale'),
    seed: numberOf('Seed'),
    size: /\d+x\d+/.exec(values.get('Size')?.slice(0, 64) ?? '')?.[0],
    model: values.get('Model'),
    modelHash: values.get('Model hash'),
    clipSkip: numberOf('Clip skip'),
    values: Object.fromEntries(values),
  });
  const problems =
    settings.length > MAX_SETTINGS_CHARS
      ? [lossOf('details', { id: 'settings-too-long', mostChars: MAX_SETTINGS_CHARS })]
      : [];
  return { reader: 'sd-metadata', ok: true, sees, problems };
}

/**
 * A key is the longest run of letters, digits and spaces before a colon that starts with a letter. Its value runs
 * to the next comma and counts only if another key or the end follows. A later value of the same key wins.
 */
function settingsOf(settings: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  if (settings.length > MAX_SETTINGS_CHARS) return values;
  let from = 0;
  for (
    let colon = settings.indexOf(':');
    colon >= 0;
    colon = settings.indexOf(':', Math.max(from, colon + 1))
  ) {
    const key = /[A-Za-z][A-Za-z0-9 ]*$/.exec(runBefore(settings, from, colon))?.[0];
    const comma = settings.indexOf(',', colon + 1);
    const end = comma < 0 ? settings.length : comma;
    if (key === undefined || end === colon + 1 || !(comma < 0 || startsKey(settings, comma + 1))) continue;
    values.set(key.trim(), settings.slice(colon + 1, end).trim());
    from = end;
  }
  return values;
}

function runBefore(settings: string, from: number, colon: number): string {
  let start = colon;
  while (start > from && /[A-Za-z0-9 ]/.test(settings[start - 1] ?? '')) start--;
  return settings.slice(start, colon).replace(/^[0-9 ]+/, '');
}

function startsKey(settings: string, from: number): boolean {
  let at = from;
  while (/\s/.test(settings[at] ?? '')) at++;
  if (!/[A-Za-z]/.test(settings[at] ?? '')) return false;
  while (/[A-Za-z0-9 ]/.test(settings[at] ?? '')) at++;
  return settings[at] === ':';
}
