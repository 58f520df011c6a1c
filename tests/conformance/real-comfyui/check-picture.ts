import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { readContainer } from '../../../nodes/formats/container.ts';
import { readCarried } from '../../../nodes/metadata/carried.ts';
import { NEGATIVE, POSITIVE, SIDE } from './graphs.ts';

/** What a saved picture must tell: keys of the details line to their values. */
export type Expected = Readonly<Record<string, string | number>>;

/** Where exiftool finds the infotext, by format (reference/metadata.md). */
const EXIFTOOL_TAGS: Readonly<Record<string, string>> = {
  png: 'Parameters',
  jpg: 'UserComment',
  webp: 'UserComment',
  avif: 'UserComment',
};

/**
 * Checks one file by three readers: exiftool, ours, and sharp for the pixels.
 * @throws AssertionError naming what is not there.
 */
export async function checkPicture(file: string, expected: Expected): Promise<void> {
  const extension = file.split('.').at(-1) ?? '';
  const tag = EXIFTOOL_TAGS[extension] ?? '';
  const [found] = JSON.parse(
    execFileSync('exiftool', ['-j', '-a', file], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }),
  ) as readonly Readonly<Record<string, unknown>>[];
  assert(found, `exiftool reads ${file}`);
  assert.equal(found['Error'], undefined, `exiftool finds no fault in ${file}`);
  checkInfotext(String(found[tag] ?? ''), expected, `exiftool's ${tag} of ${file}`);

  const container = readContainer(readFileSync(file));
  const { parameters, prompt, workflow } = readCarried(container);
  checkInfotext(parameters ?? '', expected, `the infotext of ${file}`);
  for (const [name, text] of Object.entries({ prompt, workflow })) {
    assert(text !== undefined, `${file} carries its ${name}`);
    JSON.parse(text);
  }

  const { width, height } = await sharp(file).metadata();
  assert.deepEqual([width, height], [SIDE, SIDE], `${file} decodes to ${SIDE} pixels a side`);
  const { channels } = await sharp(file).stats();
  // Random weights give a picture with some contrast; an empty one would pass every other check.
  assert(
    channels.some(({ stdev }) => stdev > 1),
    `${file} is not of one colour`,
  );
}

function checkInfotext(text: string, expected: Expected, what: string): void {
  // exiftool shows line ends as dots, and both are text of the prompts too: so parts are looked for, not lines.
  assert(text.startsWith(POSITIVE), `${what} starts with the prompt, got ${text.slice(0, 80)}`);
  assert(text.includes(`Negative prompt: ${NEGATIVE}`), `${what} has the negative prompt`);
  const line = text.slice(text.lastIndexOf('Steps: '));
  for (const [key, value] of Object.entries(expected)) {
    const at = line.startsWith(`${key}: `) ? 0 : line.indexOf(`, ${key}: `) + 2;
    const found = line.slice(at, at + key.length + 2 + String(value).length);
    assert.equal(found, `${key}: ${value}`, `${what}, in ${line}`);
    const next = line.slice(at + found.length);
    assert(next === '' || /^[,\n]/.test(next), `${what}: ${key} ends with ${value}, in ${line}`);
  }
}

/** Checks the receipt of a file: the rules of each reader, applied to what was written. */
export function checkReceipt(receipt: unknown, losslessFor: readonly string[], what: string): void {
  assert(Array.isArray(receipt), `${what} has a receipt`);
  const rows = receipt as readonly { readonly reader: string; readonly loses: readonly unknown[] }[];
  for (const reader of losslessFor) {
    const row = rows.find((one) => one.reader === reader);
    assert(row, `${what}: the receipt has a row for ${reader}`);
    assert.deepEqual(row.loses, [], `${what}: ${reader} loses nothing`);
  }
}
