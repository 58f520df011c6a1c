import { loadComment } from './a1111.ts';
import { lossOf, type Reason } from './losses.ts';
import { type Habit, lastText, type Reader, type ReaderReport, type ReaderView, unread } from './reader.ts';
import { hasCode, jsonOf, present, stripPython, utf8 } from './text.ts';

/**
 * receyuki's stable-diffusion-prompt-reader.
 *
 * @see https://github.com/receyuki/stable-diffusion-prompt-reader (rules read at 32b2eea715, May 2024)
 */
const HABITS: readonly Habit[] = [
  {
    about: ['positive', 'negative'],
    when: (_, { prompts }) => prompts.includes('\nNegative prompt:'),
    loss: 'negative-mark-in-prompt-sdpr',
  },
  {
    about: ['positive', 'negative', 'steps', 'sampler', 'cfg', 'seed', 'size', 'model'],
    when: (_, { prompts }) => prompts.includes('\nSteps:'),
    loss: 'steps-in-prompt-sdpr',
  },
  {
    about: ['positive', 'negative'],
    when: (_, { prompts }) => prompts.startsWith('\n'),
    loss: 'empty-first-line',
  },
];

const MODEL_TAG = 0x0110;

export const sdPromptReader: Reader = {
  id: 'sd-prompt-reader',
  name: 'sd-prompt-reader',
  holds: ['positive', 'negative', 'steps', 'sampler', 'cfg', 'seed', 'size', 'model'],
  habits: HABITS,
  read(view) {
    const failure = modelTagFailure(view);
    if (failure) return unread('sd-prompt-reader', failure);
    if (view.format === 'png') {
      const chunk = lastText(view, 'parameters');
      return chunk ? readText(chunk.text) : readGraph(view);
    }
    if (view.format === 'avif') return unread('sd-prompt-reader', { id: 'sd-prompt-reader-format' });
    return readComment(view);
  },
};

/** The camera model is taken for JSON, and anything else there ends the program. */
function modelTagFailure(view: ReaderView): Reason | undefined {
  const tag = view.ifd0Ascii.find((one) => one.tag === MODEL_TAG);
  if (!tag) return undefined;
  return { id: 'model-tag', isJson: jsonOf(utf8(tag.bytes).replace(/\0+$/, '')) !== undefined };
}

function readGraph(view: ReaderView): ReaderReport {
  if (!lastText(view, 'prompt')) return unread('sd-prompt-reader', { id: 'sd-prompt-reader-no-text' });
  return { reader: 'sd-prompt-reader', ok: true, sees: { prompt: true, fromGraph: true }, problems: [] };
}

function readComment(view: ReaderView): ReaderReport {
  if (view.comments.length > 0) {
    return unread('sd-prompt-reader', { id: 'jpeg-comment' });
  }
  if (view.hasAlpha) {
    return unread('sd-prompt-reader', { id: 'rgba-webp' });
  }
  const comment = view.userComment;
  if (!comment) return unread('sd-prompt-reader', { id: 'no-user-comment' });
  const trouble = utf16Trouble(comment);
  if (trouble) return unread('sd-prompt-reader', trouble);
  if (!['UNICODE\0', 'ASCII\0\0\0', 'JIS\0\0\0\0\0'].some((code) => hasCode(comment, code))) {
    return unread('sd-prompt-reader', { id: 'unknown-character-code' });
  }
  const text = loadComment(comment);
  if (text === '' || text.startsWith('{')) return unread('sd-prompt-reader', { id: 'not-a-parameters-text' });
  return readText(text);
}

/**
 * Before the real reading the comment is decoded as UTF-16 in the byte order of its mark, else of the machine
 * (little-endian), and strictly: whatever is no UTF-16 then, ends the reading.
 */
function utf16Trouble(comment: Uint8Array): Reason | undefined {
  const body = comment.subarray(8);
  if (body.length % 2 === 1) return { id: 'odd-comment' };
  return hasLoneSurrogate(body, body[0] === 0xfe && body[1] === 0xff) ? { id: 'half-surrogates' } : undefined;
}

function hasLoneSurrogate(body: Uint8Array, bigEndian: boolean): boolean {
  const units = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at + 1 < body.length; at += 2) {
    const unit = units.getUint16(at, !bigEndian);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = at + 3 < body.length ? units.getUint16(at + 2, !bigEndian) : 0;
    if (unit > 0xdbff || next < 0xdc00 || next > 0xdfff) return true;
    at += 2;
  }
  return false;
}

function readText(text: string): ReaderReport {
  const steps = text.indexOf('\nSteps:');
  const settings = steps < 0 ? '' : stripPython(text.slice(steps));
  const values = settingsOf(settings);
  const size = values.get('Size') ?? '0x0';
  if (size.split('x').length !== 2) {
    return unread('sd-prompt-reader', { id: 'size-malformed', size: size.slice(0, 40) });
  }
  const sees = present({
    ...promptsOf(text, steps),
    steps: values.get('Steps'),
    sampler: values.get('Sampler'),
    cfg: values.get('CFG scale'),
    seed: values.get('Seed'),
    size,
    model: values.get('Model'),
  });
  const problems = values.has('Size') ? [] : [lossOf('Size', { id: 'size-missing' })];
  return { reader: 'sd-prompt-reader', ok: true, sees, problems };
}

/**
 * Both marks are looked for behind a line break. A text that holds "Negative prompt:" only elsewhere loses its
 * last character and is read from position 16 on: the arithmetic of a search that failed.
 */
function promptsOf(text: string, steps: number): { positive?: string; negative?: string } {
  const end = steps < 0 ? text.length : steps;
  if (!text.includes('Negative prompt:'))
    return { positive: steps < 0 ? text : stripPython(text.slice(0, end)), negative: '' };
  const at = text.indexOf('\nNegative prompt:');
  return {
    positive: stripPython(text.slice(0, at)),
    negative: stripPython(text.slice(at + 'Negative prompt:'.length + 1, end)),
  };
}

/** The first value of each key; a key holds no colon and no comma, a value no comma. */
function settingsOf(settings: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const part of settings.split(',')) {
    const colon = part.indexOf(':');
    const key = stripPython(part.slice(0, Math.max(colon, 0)));
    const value = part.slice(colon + 1).trimStart();
    if (colon > 0 && key !== '' && value !== '' && !values.has(key)) values.set(key, value);
  }
  return values;
}
