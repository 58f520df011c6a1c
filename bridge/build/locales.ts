import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { AnyNode } from '../../nodes/kit/define-node.ts';
import { packNodes } from './node-words.ts';

const TRANSLATED = new URL('../../web/locales/', import.meta.url);

/** One node in another language. */
const wordsSchema = z.record(
  z.string(),
  z.strictObject({
    title: z.string(),
    description: z.string(),
    /** Input name to tooltip. */
    inputs: z.record(z.string(), z.string()),
    outputs: z.record(z.string(), z.string()),
  }),
);
type Words = z.infer<typeof wordsSchema>;

/**
 * What ComfyUI reads as `locales/<language>/nodeDefs.json`: English from the definitions, other languages from
 * `web/locales/`. Names of inputs stay as they are: people look them up, and error messages hold them.
 *
 * @returns path below `locales/` to JSON text
 * @throws Error for a translation that lacks a text, or has one for what is gone
 */
export function localeFiles(): ReadonlyMap<string, string> {
  const files = new Map([['en/nodeDefs.json', nodeDefsOf(englishWords())]]);
  for (const name of readdirSync(TRANSLATED).toSorted()) {
    const words = wordsSchema.parse(JSON.parse(readFileSync(new URL(name, TRANSLATED), 'utf8')));
    checkComplete(name, words);
    files.set(name.replace(/\.json$/, '/nodeDefs.json'), nodeDefsOf(words));
  }
  return files;
}

function englishWords(): Words {
  return Object.fromEntries(
    packNodes.map((node) => [
      node.id,
      {
        title: node.title,
        description: node.description,
        inputs: tooltipsOf(node.inputs),
        outputs: tooltipsOf(node.outputs),
      },
    ]),
  );
}

function tooltipsOf(of: AnyNode['inputs'] | AnyNode['outputs']): Record<string, string> {
  return Object.fromEntries(Object.entries(of).map(([name, { tooltip }]) => [name, tooltip]));
}

function checkComplete(file: string, words: Words): void {
  const wanted = textsOf(englishWords());
  const found = textsOf(words);
  const missing = wanted.filter((each) => !found.includes(each));
  const stale = found.filter((each) => !wanted.includes(each));
  if (missing.length + stale.length === 0) return;
  throw new Error(
    `web/locales/${file}: lacks ${missing.join(', ') || 'nothing'}; has too much: ${stale.join(', ') || 'nothing'}`,
  );
}

function textsOf(words: Words): string[] {
  return Object.entries(words).flatMap(([id, { inputs, outputs }]) => [
    id,
    ...Object.keys(inputs).map((name) => `${id}.${name}`),
    ...Object.keys(outputs).map((name) => `${id}>${name}`),
  ]);
}

/** The front end finds inputs by name and outputs by slot. */
function nodeDefsOf(words: Words): string {
  const nodes = Object.entries(words).map(([id, { title, description, inputs, outputs }]) => [
    id,
    {
      display_name: title,
      description,
      inputs: Object.fromEntries(Object.entries(inputs).map(([name, tooltip]) => [name, { name, tooltip }])),
      outputs: Object.fromEntries(
        Object.entries(outputs).map(([name, tooltip], slot) => [slot, { name, tooltip }]),
      ),
    },
  ]);
  return `${JSON.stringify(Object.fromEntries(nodes), null, 2)}\n`;
}
