import { lossOf } from './losses.ts';
import { type Habit, lastText, type Reader, type ReaderReport, type ReaderView, unread } from './reader.ts';
import { hasCode, isPythonSpace, jsonOf, present, pythonAscii, stripPython, utf8, utf16 } from './text.ts';

/**
 * AUTOMATIC1111's webui; Forge and reForge read the same way.
 *
 * @see https://github.com/AUTOMATIC1111/stable-diffusion-webui modules/infotext_utils.py, modules/images.py
 */
const HABITS: readonly Habit[] = [
  {
    about: ['positive', 'negative'],
    when: (text) => linesOf(text).some((line) => stripPython(line).startsWith('Negative prompt:')),
    loss: 'negative-mark-in-prompt-a1111',
  },
  {
    about: ['positive', 'negative'],
    when: (text) => linesOf(text).some((line) => line !== stripPython(line)),
    loss: 'line-ends-stripped',
  },
  {
    about: ['positive', 'negative'],
    when: (_, { view }) => commentIsMisread(view),
    loss: 'utf16-order',
  },
];

/** Fewer `key: value` pairs than this and the last line belongs to the prompt. */
const LEAST_PAIRS = 3;

export const a1111: Reader = {
  id: 'a1111',
  name: 'A1111 / Forge',
  holds: [
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
  ],
  habits: HABITS,
  otherKeys: 'key-lost-a1111',
  read(view) {
    const text = textOf(view);
    return text ? readText(text) : unread('a1111', { id: 'a1111-no-text' });
  },
};

/** A UserComment wins over a PNG's `parameters`; a JPEG comment counts only where there is no EXIF at all. */
function textOf(view: ReaderView): string | undefined {
  const comment = view.userComment && loadComment(view.userComment);
  if (comment) return comment;
  const chunk = lastText(view, 'parameters');
  if (chunk) return chunk.text;
  const last = view.hasExif ? undefined : view.comments.at(-1);
  return last && utf8(last);
}

/** As Python's piexif decodes a UserComment: "UNICODE" is big-endian UTF-16, whatever the TIFF block says. */
export function loadComment(comment: Uint8Array): string {
  const body = comment.subarray(8);
  if (hasCode(comment, 'UNICODE\0')) return utf16(body, 'be');
  if (hasCode(comment, 'ASCII\0\0\0')) return pythonAscii(body);
  if (hasCode(comment, 'JIS\0\0\0\0\0')) return new TextDecoder('shift_jis').decode(body);
  return utf8(comment).replaceAll('\ufffd', '');
}

function commentIsMisread(view: ReaderView): boolean {
  const comment = view.userComment;
  if (!comment || !hasCode(comment, 'UNICODE\0')) return false;
  return comment[8] === 0xfe || comment[8] === 0xff || (comment[8] !== 0 && comment[9] === 0);
}

function readText(text: string): ReaderReport {
  const lines = stripPython(text).split('\n');
  const last = pairsOf(lines.at(-1) ?? '');
  const pairs = last.length < LEAST_PAIRS ? [] : last;
  const { positive, negative } = promptsOf(pairs.length > 0 ? lines.slice(0, -1) : lines);
  const values = valuesOf(pairs);
  const of = (key: string) => values.get(key);
  const [width, height] = [of('Size-1'), of('Size-2')];
  const sees = present({
    positive,
    negative,
    steps: of('Steps'),
    sampler: of('Sampler'),
    scheduler: of('Schedule type'),
    cfg: of('CFG scale'),
    seed: of('Seed'),
    size: width && height ? `${width}x${height}` : undefined,
    model: of('Model'),
    modelHash: of('Model hash'),
    clipSkip: of('Clip skip'),
    values: Object.fromEntries(values),
  });
  const problems =
    pairs.length > 0 ? [] : [lossOf('details', { id: 'too-few-settings', least: LEAST_PAIRS })];
  return { reader: 'a1111', ok: true, sees, problems };
}

function promptsOf(lines: readonly string[]): { positive: string; negative: string } {
  const prompts = { positive: '', negative: '' };
  let side: 'positive' | 'negative' = 'positive';
  for (const raw of lines) {
    let line = stripPython(raw);
    if (line.startsWith('Negative prompt:')) {
      side = 'negative';
      line = stripPython(line.slice('Negative prompt:'.length));
    }
    prompts[side] += prompts[side] === '' ? line : `\n${line}`;
  }
  return prompts;
}

type Pair = { readonly key: string; readonly value: string };

/**
 * Every `key: value` of a line. A key is two or more word characters, spaces, `-` or `/` and starts with a word
 * character; a value is a JSON text with a comma or the end behind it, or everything up to a comma.
 */
function pairsOf(line: string): Pair[] {
  const pairs: Pair[] = [];
  let from = 0;
  for (let colon = line.indexOf(':'); colon >= 0; colon = line.indexOf(':', Math.max(from, colon + 1))) {
    const key = keyBefore(line, from, colon);
    if (key === undefined) continue;
    let start = colon + 1;
    while (isPythonSpace(line[start])) start++;
    const end = quotedEnd(line, start) ?? commaFrom(line, start);
    pairs.push({ key, value: line.slice(start, end) });
    from = end + 1;
  }
  return pairs;
}

/** The longest key that ends at the colon. */
function keyBefore(line: string, from: number, colon: number): string | undefined {
  let start = colon;
  while (start > from && (isWordChar(line, start - 1) || ' -/'.includes(line.charAt(start - 1)))) start--;
  while (start < colon && !isWordChar(line, start)) start++;
  return colon - start >= 2 ? line.slice(start, colon) : undefined;
}

/** Python's `\w`, asked quickly for ASCII; letters beyond U+FFFF do not count here. */
function isWordChar(line: string, at: number): boolean {
  const code = line.charCodeAt(at);
  if (code >= 0x80) return /[\p{L}\p{N}]/u.test(line.charAt(at));
  const isLetter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
  return isLetter || (code >= 0x30 && code <= 0x39) || code === 0x5f;
}

/** Where a quoted value ends, if one starts here, is not empty, and a comma or the end follows. */
function quotedEnd(line: string, start: number): number | undefined {
  if (line[start] !== '"') return undefined;
  let at = start + 1;
  while (at < line.length && line[at] !== '"') at += line[at] === '\\' ? 2 : 1;
  const end = at + 1;
  return at < line.length && at > start + 1 && (end === line.length || line[end] === ',') ? end : undefined;
}

function commaFrom(line: string, start: number): number {
  const at = line.indexOf(',', start);
  return at < 0 ? line.length : at;
}

/** Quoted values are unquoted where they are JSON; `WxH` becomes two keys; an empty value is dropped. */
function valuesOf(pairs: readonly Pair[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const { key, value: raw } of pairs) {
    if (raw === '') continue;
    const unquoted = /^"(?:\\.|[^\\"])*"$/.test(raw) ? jsonOf(raw) : undefined;
    const value = typeof unquoted === 'string' ? unquoted : raw;
    const [, width, height] = /^(\d+)x(\d+)$/.exec(value) ?? [];
    if (width && height) values.set(`${key}-1`, width).set(`${key}-2`, height);
    else values.set(key, value);
  }
  return values;
}

function linesOf(text: string): string[] {
  return text.split('\n');
}
