import { isRecord } from '../../../nodes/kit/is-record.ts';
import type { Draw } from '../draw.ts';
import { drawText } from './texts.ts';

/** A place in a document: the object or list, and the key in it. */
type Place = { readonly holder: Record<string, unknown>; readonly key: string };

const PLACES_LIMIT = 4_000;
/** Of what is grown: time is to be measured, and a second is much for no more than this. */
const GROWN_CHARS = 200_000;

/** Texts that JSON.stringify never writes, put in the place of a marked value. */
const RAW = [
  ...[
    '1e400',
    '-1e400',
    '-0',
    '1e-400',
    '123456789012345678901234567890',
    '0.1000000000000000055511151231257827',
  ],
  ...[
    'NaN',
    'Infinity',
    '01',
    '1.',
    "'a'",
    '"\\ud800"',
    '"\\u0000"',
    '"\\x"',
    '{"a":1,"a":2}',
    '[1,]',
    '9'.repeat(5_000),
  ],
] as const;
const RAW_MARK = '\u0001raw';

/** A document with one to eight things wrong, as JSON; some of it no JSON any more. Words are names worth to be used. */
export function mutateDocument(seed: unknown, words: readonly string[], draw: Draw): string {
  const root: Record<string, unknown> = { document: structuredClone(seed) };
  const times = 1 + draw.below(draw.once(3) ? 8 : 3);
  for (let i = 0; i < times; i++) changeOne(root, words, draw);
  const json = JSON.stringify(root['document']) ?? 'null';
  const spelt = json.replaceAll(JSON.stringify(RAW_MARK), () => draw.pick(RAW));
  return draw.once(6) ? mutateText(spelt, draw) : spelt;
}

/** A text with one to four things wrong: cut, a run taken out or written twice, marks put in, a key renamed. */
export function mutateText(text: string, draw: Draw): string {
  let out = text;
  for (let i = draw.below(4); i >= 0; i--) {
    const at = draw.below(out.length + 1);
    const span = draw.below(draw.pick([3, 30, 300]));
    const choice = draw.below(7);
    if (choice === 0) out = out.slice(0, at);
    else if (choice === 1) out = out.slice(0, at) + out.slice(at + span);
    else if (choice === 2) out = out.slice(0, at + span) + out.slice(at);
    else if (choice === 3) out = out.slice(0, at) + drawText(draw) + out.slice(at);
    else if (choice === 4)
      out = renameKey(out, at, draw.pick(['__proto__', 'constructor', 'toString', '', 'inputs']));
    else if (choice === 5)
      out = out.slice(0, at) + '[{"a":'.repeat(draw.below(draw.pick([5, 5_000]))) + out.slice(at);
    else
      out =
        out.slice(0, at) +
        draw.pick(['&a ', '*a', '!!js ', '<<: ', '? ', '| ', '\t', '- ', ': ', '#', '"', ',']) +
        out.slice(at);
  }
  return out;
}

function renameKey(json: string, from: number, name: string): string {
  const rest = json.slice(from);
  return json.slice(0, from) + rest.replace(/"[^"\\]{1,40}":/, `"${name}":`);
}

function changeOne(root: Record<string, unknown>, words: readonly string[], draw: Draw): void {
  const places = placesIn(root);
  const place = draw.some(places);
  if (!place) return;
  const { holder, key } = place;
  const other = draw.some(places);
  switch (draw.below(8)) {
    case 0:
      delete holder[key];
      return;
    case 1:
      if (other && !holds(holder[key], other.holder)) other.holder[other.key] = structuredClone(holder[key]);
      return;
    case 2:
      holder[draw.once(2) ? (draw.some(words) ?? 'x') : String(draw.below(20))] = structuredClone(
        holder[key],
      );
      return;
    case 3:
      holder[key] = draw.some(words) ?? 'x';
      return;
    case 4:
      // A link: to oneself, to another, to nothing.
      holder[key] = [draw.some(keysIn(root['document'])) ?? '0', draw.pick([0, 1, 2, -1, 99, 1e9])];
      return;
    case 5:
      if (draw.once(25) && JSON.stringify(root).length < GROWN_CHARS / 2)
        holder[key] = grow(holder[key], draw);
      else holder[key] = drawText(draw);
      return;
    default:
      holder[key] = drawValue(draw);
  }
}

function drawValue(draw: Draw): unknown {
  const value = draw.some<unknown>([
    ...[null, true, false, '', 0, -1, 1, 2 ** 31, 2 ** 53, -(2 ** 63), 1e300, 1e-300, 0.1, 1_000_000, 10_000],
    ...[
      RAW_MARK,
      RAW_MARK,
      [],
      {},
      [[]],
      [null, null],
      ['0', 0],
      ['1', '0'],
      [1, 0, 1],
      { __value__: ['1', 0] },
    ],
    ...['None', 'euler', '{a|b}', '%KSampler.seed%', '$$', 'embedding:a', 'a\nb', '2048', 'NaN'],
  ]);
  return draw.once(30) ? nest(value, draw.pick([60, 70, 400])) : value;
}

/** So deep that a careless recursion ends. */
function nest(value: unknown, levels: number): unknown {
  let out = value;
  for (let i = 0; i < levels; i++) out = i % 2 === 0 ? [out] : { a: out };
  return out;
}

/** Thousands of what is there: nodes, widgets, links. */
function grow(value: unknown, draw: Draw): unknown {
  const count = draw.pick([300, 3_000, 100_000]);
  if (typeof value === 'string')
    return value.repeat(Math.min(count, Math.ceil(100_000 / (value.length + 1))));
  if (!isRecord(value) && !Array.isArray(value)) return Array.from({ length: count }, () => value);
  const size = JSON.stringify(value).length;
  const copies = Math.min(count, Math.ceil(GROWN_CHARS / (size + 1)));
  const list = Array.isArray(value) ? value : Object.values(value);
  if (Array.isArray(value)) return Array.from({ length: copies }, () => list).flat();
  return Object.fromEntries(
    Array.from({ length: copies }, (_, i) =>
      Object.entries(value).map(([key, inner]): [string, unknown] => [`${key}${i || ''}`, inner]),
    ).flat(),
  );
}

function placesIn(root: Record<string, unknown>): Place[] {
  const places: Place[] = [];
  const open: Record<string, unknown>[] = [root];
  for (const holder of open) {
    for (const key of Object.keys(holder)) {
      if (places.length >= PLACES_LIMIT) return places;
      places.push({ holder, key });
      const value = holder[key];
      if (isIndexable(value)) open.push(value);
    }
  }
  return places;
}

function keysIn(document: unknown): string[] {
  return isRecord(document) ? Object.keys(document).slice(0, 200) : ['1', '2', '3'];
}

/** Lists are objects with numbers for keys. */
function isIndexable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Whether a value is, or holds, this object; copying it into itself would never end. */
function holds(value: unknown, wanted: object): boolean {
  const open = [value];
  for (const each of open) {
    if (each === wanted) return true;
    if (isIndexable(each)) open.push(...Object.values(each).slice(0, PLACES_LIMIT));
  }
  return false;
}
