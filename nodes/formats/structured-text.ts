import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { JsonFault, type JsonPlace, placeJson } from './json-places.ts';

/** A place in a text, counted from 1. */
type TextPlace = { readonly line: number; readonly column: number };

/** What is wrong in a text that people write, and where. */
type TextFault = TextPlace & {
  /** Whether what was expected is a word of a language (`JSON`, `YAML`), or more than that. */
  readonly isSyntax: boolean;
  readonly expected: string;
  readonly got: string;
};

/** A document as its parser gave it. */
export type StructuredText = {
  readonly value: unknown;
  /** Where the value at a path begins; of what is not there, where the nearest that holds it begins. */
  placeOf(path: readonly PropertyKey[]): TextPlace;
  /** Where a key of the object at a path stands. */
  placeOfKey(path: readonly PropertyKey[], key: string): TextPlace;
};

/** The rules of all packs that we know are 10,000 lines. */
const MAX_VALUES = 25_000;

/** The document, or the first thing that is wrong. */
export type ReadText =
  | { readonly document: StructuredText; readonly fault?: never }
  | { readonly document?: never; readonly fault: TextFault };

/**
 * Reads JSON or YAML: JSON where it is said to be or begins with a brace. Of YAML one document, in the values that JSON
 * has: a tag that makes something else of a value is refused, not passed over; so is a key that is given twice. Never
 * throws, whatever the text.
 *
 * @param maxAliases how many values aliases may multiply into
 */
export function readStructuredText(text: string, isNamedJson: boolean, maxAliases: number): ReadText {
  try {
    const isJson = isNamedJson || text.trimStart().startsWith('{');
    return isJson ? readJson(text) : readYaml(text, maxAliases);
  } catch (error) {
    // Both parsers recurse.
    if (!(error instanceof RangeError)) throw error;
    const fault = { line: 1, column: 1, isSyntax: false, expected: 'a document of ordinary depth' };
    return { fault: { ...fault, got: 'one that nests deeper' } };
  }
}

function readJson(text: string): ReadText {
  const at = placesIn(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The parser's own words, without the place: it names one for some faults only, and quotes the text for others.
    const got = error.message.replace(
      /(?:, (?:\.\.\.)?".*)? (?:in JSON at position|is not valid JSON).*/s,
      '',
    );
    return { fault: { ...at(faultIn(text)), isSyntax: true, expected: 'JSON', got } };
  }
  if (countValues(value) > MAX_VALUES) return TOO_MANY;
  const { root, duplicateAt } = placeJson(text);
  // The parser takes the last of two values without a word.
  if (duplicateAt !== undefined)
    return {
      fault: { ...at(duplicateAt), isSyntax: true, expected: 'JSON', got: 'Map keys must be unique' },
    };
  return {
    document: {
      value,
      placeOf: (path) => at(offsetInJson(root, path)),
      placeOfKey: (path, key) => at(offsetInJson(root, path, key)),
    },
  };
}

/** Where a text that the parser refuses stops being JSON. */
function faultIn(text: string): number {
  try {
    placeJson(text);
  } catch (error) {
    if (error instanceof JsonFault) return error.at;
    throw error;
  }
  return 0;
}

/** Where the value at a path begins, or one of its keys. */
function offsetInJson(root: JsonPlace, path: readonly PropertyKey[], key?: string): number {
  let place = root;
  for (const step of path) {
    const inner = place.members?.get(String(step))?.value ?? place.items?.[Number(step)];
    if (!inner) return place.at;
    place = inner;
  }
  return (key === undefined ? undefined : place.members?.get(key)?.keyAt) ?? place.at;
}

function readYaml(text: string, maxAliases: number): ReadText {
  // Places are known by a tree that takes a kilobyte a value, however small.
  if ((text.match(/[,\n]/g)?.length ?? 0) > MAX_VALUES) return TOO_MANY;
  // The library compares each key with all before it: thousands of them would take minutes.
  const document = parseDocument(text, { uniqueKeys: false, logLevel: 'error' });
  const at = placesIn(text);
  const fault = findFault(document);
  if (fault) {
    const { expected, got } = fault;
    return { fault: { ...at(fault.at), isSyntax: true, expected, got } };
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const got = error instanceof Error ? error.message : String(error);
    return {
      fault: { line: 1, column: 1, isSyntax: false, expected: `at most ${maxAliases} aliases`, got },
    };
  }
  if (countValues(value) > MAX_VALUES) return TOO_MANY;
  return {
    document: {
      value,
      placeOf: (path) => at(offsetOf(document, path)),
      placeOfKey: (path, key) => at(offsetOf(document, path, key)),
    },
  };
}

/** Lines and columns of offsets. */
function placesIn(text: string): (offset: number) => TextPlace {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
  return (offset) => {
    const { line, col: column } = lines.linePos(offset);
    return { line, column };
  };
}

const TOO_MANY = {
  fault: { line: 1, column: 1, isSyntax: false, expected: `at most ${MAX_VALUES} values`, got: 'more' },
};

/** How many values a document holds, or one more than it may: those of YAML can be many times in one another. */
function countValues(root: unknown): number {
  let count = 0;
  for (const open = [root]; open.length > 0 && count <= MAX_VALUES; count++) {
    const value = open.pop();
    if (typeof value === 'object' && value !== null)
      for (const inner of Object.values(value)) open.push(inner);
  }
  return count;
}

/** Where the value at a path begins, or one of its keys. */
function offsetOf(document: Document, path: readonly PropertyKey[], key?: string): number {
  let node: unknown = document.contents;
  let offset = 0;
  const note = (part: unknown): void => {
    if (isNode(part) && part.range) offset = part.range[0];
  };
  note(node);
  for (const [index, step] of [...path, ...(key === undefined ? [] : [key])].entries()) {
    if (isAlias(node)) node = node.resolve(document);
    const isKey = index === path.length;
    if (isMap(node)) {
      const pair = pairsOf(node).get(String(step));
      if (!pair) break;
      node = isKey ? pair.key : pair.value;
      note(pair.key);
    } else if (isSeq(node)) node = node.items[Number(step)];
    else break;
    note(node);
  }
  return offset;
}

/** By key; of equal ones the first. Kept, since one object can be asked for thousands of places. */
function pairsOf(map: YAMLMap): ReadonlyMap<string, Pair> {
  const known = PAIRS.get(map);
  if (known) return known;
  const pairs = new Map<string, Pair>();
  for (const pair of map.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : undefined;
    if (key !== undefined && !pairs.has(key)) pairs.set(key, pair);
  }
  PAIRS.set(map, pairs);
  return pairs;
}

const PAIRS = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

/** Something wrong, and where: an offset in the text. */
type Fault = { readonly at: number; readonly expected: string; readonly got: string };

function findFault({ errors, warnings, contents }: Document): Fault | undefined {
  const [first] = [...errors, ...warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  const found = [findTag(contents), first && describeFault(first), findDuplicate(contents)];
  return found.filter((each) => each !== undefined).toSorted((a, b) => a.at - b.at)[0];
}

function describeFault({ code, message, pos: [at] }: YAMLError): Fault {
  if (code === 'MULTIPLE_DOCS')
    return { at, expected: 'one YAML document, ended', got: 'a second one, which begins there with "---"' };
  const [got = code] = message.split(/ at line \d/);
  return { at, expected: 'YAML', got };
}

/** The first key that its object has already. */
function findDuplicate(contents: Document['contents']): Fault | undefined {
  let found: Fault | undefined;
  visit(contents, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        // As the object has it: 1 and "1" are one key, null is the empty one.
        const name = String(key.value ?? '');
        if (seen.has(name)) {
          const at = key.range?.[0] ?? 0;
          if (!found || at < found.at) found = { at, expected: 'YAML', got: 'Map keys must be unique' };
          break;
        }
        seen.add(name);
      }
    },
  });
  return found;
}

/** The first value with a tag that JSON has no word for. */
function findTag(contents: Document['contents']): Fault | undefined {
  let found: Fault | undefined;
  visit(contents, {
    Node(_, node) {
      const tag = 'tag' in node ? node.tag : undefined;
      if (tag === undefined || PLAIN_TAGS.has(tag)) return undefined;
      const got = `a value with the tag ${tag.replace(/^tag:yaml\.org,2002:/, '!!')}`;
      found = { at: node.range?.[0] ?? 0, expected: 'YAML without tags', got };
      return visit.BREAK;
    },
  });
  return found;
}

/** What JSON has, and any value by itself. */
const PLAIN_TAGS: ReadonlySet<string> = new Set([
  ...['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
  '!',
]);
