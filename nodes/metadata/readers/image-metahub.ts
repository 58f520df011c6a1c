import { type Habit, lastText, type Reader, type ReaderReport, type ReaderView, unread } from './reader.ts';
import { bytesOfLatin1, present, utf8 } from './text.ts';

/**
 * LuqP2's Image-MetaHub: the file entry point of its metadata engine and its A1111 parser.
 *
 * @see https://github.com/LuqP2/Image-MetaHub packages/metadata-engine (rules read at 147ad79592, August 2026)
 */
const HABITS: readonly Habit[] = [
  {
    about: ['negative'],
    when: (text) => text.includes('\n'),
    loss: 'negative-first-line',
  },
  {
    about: ['positive', 'negative'],
    when: (_, { prompts }) => prompts.includes('\nNegative prompt:'),
    loss: 'negative-mark-in-prompt-metahub',
  },
  {
    about: ['positive', 'negative', 'model'],
    when: (text, { view }) => view.format === 'jpeg' && /[^\x20-\x7e\n]/.test(text),
    loss: 'utf16-as-utf8',
  },
  {
    about: ['positive', 'negative', 'model'],
    when: (text) => /[\x80-\xff]/.test(text),
    loss: 'latin1-as-utf8',
  },
  {
    about: ['steps', 'sampler', 'cfg', 'seed', 'size', 'model', 'clipSkip'],
    when: (_, { prompts }) => /Steps: |Sampler: |CFG scale: |Seed: |Size: |Model:/i.test(prompts),
    loss: 'key-in-prompt',
  },
  {
    about: ['cfg'],
    when: () => true,
    loss: 'distilled-cfg',
  },
  {
    about: ['seed'],
    when: (text) => text !== String(Number(text)),
    loss: 'seed-rounded-metahub',
  },
];

export const imageMetahub: Reader = {
  id: 'image-metahub',
  name: 'Image-MetaHub',
  holds: [
    'positive',
    'negative',
    'steps',
    'sampler',
    'cfg',
    'seed',
    'size',
    'model',
    'clipSkip',
    'prompt',
    'workflow',
  ],
  habits: HABITS,
  read(view) {
    if (view.format === 'png') return readPng(view);
    if (view.format !== 'jpeg') return unread('image-metahub', { id: 'image-metahub-format' });
    const text = view.userComment && commentText(view.userComment);
    if (!text) return unread('image-metahub', { id: 'image-metahub-no-comment' });
    if (!isAccepted(text)) {
      return unread('image-metahub', { id: 'image-metahub-not-accepted' });
    }
    return readText(text);
  },
};

/** A workflow wins, then the parameters, then a prompt graph alone. */
function readPng(view: ReaderView): ReaderReport {
  const prompt = lastText(view, 'prompt') !== undefined;
  if (lastText(view, 'workflow')) return graphReport(prompt, true);
  const chunk = lastText(view, 'parameters', 'Parameters') ?? lastText(view, 'Description');
  if (chunk?.text) return readText(chunk.chunk === 'tEXt' ? utf8(bytesOfLatin1(chunk.text)) : chunk.text);
  return prompt ? graphReport(true, false) : unread('image-metahub', { id: 'image-metahub-no-data' });
}

function graphReport(prompt: boolean, workflow: boolean): ReaderReport {
  return { reader: 'image-metahub', ok: true, sees: { prompt, workflow, fromGraph: true }, problems: [] };
}

/** Behind the character code, or from a brace among the first 20 bytes; zero bytes dropped, the rest as UTF-8. */
function commentText(comment: Uint8Array): string {
  const brace = comment.subarray(0, 20).indexOf(0x7b);
  const start = brace > 0 ? brace : comment.length > 8 ? 8 : 0;
  return utf8(comment.subarray(start).filter((byte) => byte !== 0));
}

function isAccepted(text: string): boolean {
  const holds = (...marks: readonly string[]) => marks.every((mark) => text.includes(mark));
  return (
    holds('Version: ComfyUI') ||
    holds('Civitai resources:', 'Steps:') ||
    holds('Steps:', 'Sampler:', 'Model hash:')
  );
}

function readText(text: string): ReaderReport {
  const at = text.indexOf('\nNegative prompt:');
  const firstKey = text.search(/\n[A-Z][a-z]{1,64}:/);
  const rest = text.slice(at + '\nNegative prompt:'.length);
  const seed = find(text, /Seed: (\d+)/);
  const sees = present({
    positive: at >= 0 ? text.slice(0, at).trim() : firstKey >= 0 ? text.slice(0, firstKey).trim() : text,
    negative: at >= 0 ? (rest.split('\n', 1)[0] ?? '').trim() : undefined,
    steps: find(text, /Steps: (\d+)/),
    sampler: find(text, /Sampler: ([^,]+)/)?.trim(),
    cfg: find(text, /Distilled CFG Scale: ([\d.]+)/) ?? find(text, /CFG scale: ([\d.]+)/),
    seed: seed === undefined ? undefined : String(Number(seed)),
    size: find(text, /Size: (\d+x\d+)/),
    model: find(text, /Model:\s*([^,]+)/i)?.trim(),
    clipSkip: find(text, /Clip skip: (\d+)/i),
  });
  return { reader: 'image-metahub', ok: true, sees, problems: [] };
}

function find(text: string, pattern: RegExp): string | undefined {
  return pattern.exec(text)?.[1];
}
