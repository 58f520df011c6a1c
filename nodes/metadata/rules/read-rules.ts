import type { z } from 'zod';
import type { RulePack } from '../../../rules/define.ts';
import { readStructuredText, type StructuredText } from '../../formats/structured-text.ts';
import { describeValue, KINDS, valueAt } from '../../kit/describe-value.ts';
import { isRecord } from '../../kit/is-record.ts';
import { nearestWord } from '../../kit/nearest-word.ts';
import type { RuleFile } from '../../kit/rule-files.ts';
import { findContradictions } from './contradictions.ts';
import { userRulesSchema } from './rule-schema.ts';

/** Something to mend in a file of rules. */
export type RuleFinding = {
  /** `error`: the file does not count. `warning`: it does, and says something that cannot be meant. */
  readonly level: 'error' | 'warning';
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** `nodes["My Loader"].reads.SEED`; '' for the whole file. */
  readonly place: string;
  readonly expected: string;
  readonly got: string;
  /** What was probably meant. */
  readonly hint?: string;
};

/** The rules of a file, and all that is to be said of it. A file with an error has no rules. */
export type ReadRules = { readonly pack?: RulePack; readonly findings: readonly RuleFinding[] };

/** The rules of ComfyUI's own nodes and all known packs take a third of it. */
const MAX_CHARS = 1024 * 1024;
/** Aliases of YAML multiply; no rules need many. */
const MAX_ALIASES = 100;
const MAX_DEPTH = 32;
/** A file that is wrong all over is told by its beginning. */
const MAX_FINDINGS = 100;

/** Reads a file of rules. Total: whatever the text, nothing is thrown. */
export function readRules({ name: file, text }: RuleFile): ReadRules {
  const start = { level: 'error', file, line: 1, column: 1, place: '' } as const;
  if (text.length > MAX_CHARS) {
    const got = `${text.length}`;
    return { findings: [{ ...start, expected: `at most ${MAX_CHARS} characters`, got }] };
  }
  const { document, fault } = readStructuredText(text, file.toLowerCase().endsWith('.json'), MAX_ALIASES);
  if (!document) {
    const { line, column, expected, got } = fault;
    return { findings: [{ ...start, line, column, expected, got }] };
  }
  const wild = findWild(document.value);
  if (wild) {
    return {
      findings: [{ ...start, ...document.placeOf(wild.path), place: spell(wild.path), ...wild.mismatch }],
    };
  }
  const read = userRulesSchema.safeParse(document.value);
  if (!read.success) {
    const findings = read.error.issues
      .flatMap((issue) => spread(issue, []))
      .slice(0, MAX_FINDINGS)
      .map((placed) => toFinding(placed, document, file));
    return { findings };
  }
  const { pack = stemOf(file), source = file, nodes } = withoutPrototypes(read.data);
  // Each place is looked for from the start of its object: only of those that are told.
  const findings = Object.entries(nodes)
    .flatMap(([classType, rule]) =>
      findContradictions(rule).map(({ path, ...mismatch }) => ({
        whole: ['nodes', classType, ...path],
        mismatch,
      })),
    )
    .slice(0, MAX_FINDINGS)
    .map(({ whole, mismatch: { expected, got } }): RuleFinding => {
      return { level: 'warning', file, ...document.placeOf(whole), place: spell(whole), expected, got };
    });
  return { pack: { pack, source, nodes }, findings };
}

/** One line: `FILE:3:9: nodes.X.role: expected …, got … (perhaps "sampler")`. */
export function tellFinding({ level, file, line, column, place, expected, got, hint }: RuleFinding): string {
  const where = `${file}:${line}:${column}: ${level}: ${place === '' ? '' : `${place}: `}`;
  return `${where}expected ${expected}, got ${got}${hint === undefined ? '' : ` (perhaps "${hint}")`}`;
}

function stemOf(file: string): string {
  const base = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
  return base.replace(/\.[^.]*$/, '') || 'user';
}

type Path = readonly PropertyKey[];
type Mismatch = { readonly expected: string; readonly got: string };

/** What no rule needs and would cost without end, or reach what every object inherits: depth, `__proto__`. */
function findWild(root: unknown): { readonly path: Path; readonly mismatch: Mismatch } | undefined {
  const open: { readonly value: unknown; readonly path: Path }[] = [{ value: root, path: [] }];
  for (;;) {
    const next = open.pop();
    if (!next) return undefined;
    const { value, path } = next;
    const wild = (expected: string, got: string) => ({ path, mismatch: { expected, got } });
    if (path.length > MAX_DEPTH) return wild(`at most ${MAX_DEPTH} levels`, 'one that nests deeper');
    if (Array.isArray(value))
      for (const [i, inner] of value.entries()) open.push({ value: inner, path: [...path, i] });
    else if (isRecord(value)) {
      if (Object.hasOwn(value, '__proto__')) return wild('ordinary keys', '"__proto__"');
      for (const [key, inner] of Object.entries(value)) open.push({ value: inner, path: [...path, key] });
    }
  }
}

/** A copy whose objects inherit nothing: an input called `constructor` is then one that no rule names. */
function withoutPrototypes<T>(value: T): T;
function withoutPrototypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => withoutPrototypes(each));
  if (!isRecord(value)) return value;
  const bare: Record<string, unknown> = Object.create(null);
  for (const [key, inner] of Object.entries(value)) bare[key] = withoutPrototypes(inner);
  return bare;
}

type Issue = z.core.$ZodIssue;
type Placed = { readonly issue: Issue; readonly path: Path };

/** Of a choice of forms, what is wrong with the one that comes nearest to what was written. */
function spread(issue: Issue, above: Path): Placed[] {
  const path = [...above, ...issue.path];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ issue, path }];
  const forms = issue.errors.map((issues) => ({
    issues,
    cost: issues.reduce((sum, each) => sum + costOf(each), 0),
  }));
  const meant = forms.toSorted((a, b) => a.cost - b.cost)[0];
  // All of them want another kind of value: then all are said.
  const isNoForm = forms.every(({ issues }) => issues.some(isWrongKind));
  return meant && !isNoForm ? meant.issues.flatMap((inner) => spread(inner, path)) : [{ issue, path }];
}

function isWrongKind({ code, path }: Issue): boolean {
  return (code === 'invalid_type' || code === 'invalid_value') && path.length === 0;
}

function costOf(issue: Issue): number {
  if (isWrongKind(issue)) return 100;
  if (issue.code === 'unrecognized_keys') return issue.keys.length;
  // No form has that word; there is nothing to look into.
  if (issue.code === 'invalid_union' && issue.errors.length === 0) return 1;
  if (issue.code === 'invalid_union') {
    const forms = issue.errors.map((issues) => issues.reduce((sum, each) => sum + costOf(each), 0));
    return Math.min(100, ...forms);
  }
  // The key that tells the forms apart is the one that must be there.
  return issue.code === 'invalid_type' ? 3 : 1;
}

function toFinding({ issue, path }: Placed, document: StructuredText, file: string): RuleFinding {
  const { value } = document;
  if (issue.code === 'unrecognized_keys' || issue.code === 'invalid_key') {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [String(path.at(-1))];
    const at = issue.code === 'unrecognized_keys' ? path : path.slice(0, -1);
    const got = keys.map((key) => JSON.stringify(key)).join(', ');
    const first = keys[0] ?? '';
    const words = issue.code === 'invalid_key' ? issue.issues.flatMap(wordsOf) : [];
    const expected = issue.code === 'unrecognized_keys' ? issue.message : `one of ${words.join(', ')}`;
    const spot = { ...document.placeOfKey(at, first), place: spell(at) };
    return { level: 'error', file, ...spot, expected, got, ...hintOf(first, words) };
  }
  const got = valueAt(value, path);
  const words = wordsOf(issue);
  const spot = { ...document.placeOf(path), place: spell(path) };
  return {
    level: 'error',
    file,
    ...spot,
    expected: expectedBy(issue),
    got: describeValue(got),
    ...hintOf(got, words),
  };
}

function hintOf(got: unknown, words: readonly string[]): { readonly hint?: string } {
  const hint = typeof got === 'string' ? nearestWord(got, words) : undefined;
  return hint === undefined ? {} : { hint };
}

/** The words that may stand there. */
function wordsOf(issue: Issue): readonly string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code === 'invalid_union')
    return issue.errors.length > 0 ? issue.errors.flat().flatMap(wordsOf) : formsOf(issue);
  return [];
}

/** The words that tell forms apart. */
function formsOf(issue: z.core.$ZodIssueInvalidUnion): readonly string[] {
  return 'options' in issue ? (issue.options ?? []).map(String) : [];
}

function expectedBy(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.length === 1
        ? JSON.stringify(issue.values[0])
        : `one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `at least ${issue.minimum}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    case 'invalid_union': {
      if (issue.errors.length === 0) return `one of ${formsOf(issue).join(', ')}`;
      const forms = issue.errors.flatMap((inner) => inner.slice(0, 1).map(expectedBy));
      return [...new Set(forms)].join(', or ');
    }
    default:
      return issue.message;
  }
}

function spell(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const word = String(key);
    if (!/^[\w$]+$/.test(word)) return `${text}[${JSON.stringify(word)}]`;
    return text === '' ? word : `${text}.${word}`;
  }, '');
}
