import type { z } from 'zod';
import { describeValue, KINDS, valueAt } from '../kit/describe-value.ts';
import { isRecord } from '../kit/is-record.ts';
import { type Finding, fail } from './finding.ts';
import { type Manifest, pipelineSchema, singleSchema } from './manifest.ts';

/** What a manifest is, or why it is none. */
export type ReadManifest =
  | { readonly manifest: Manifest; readonly findings: readonly [] }
  | { readonly manifest?: never; readonly findings: readonly Finding[] };

/** Deeper and larger than any manifest: steps may nest, aliases of YAML may multiply. */
const MAX_DEPTH = 64;
const MAX_VALUES = 500_000;
/** A manifest that is wrong all over is told by its beginning. */
const MAX_FINDINGS = 100;
const CODE = 'pipeline/malformed';

/**
 * Reads a parsed manifest: a pipeline under `pipeline`, or a single merge step by itself. All that is wrong is collected;
 * nothing is thrown, whatever comes.
 *
 * @param value what a JSON or YAML parser gave; not modified.
 */
export function readManifest(value: unknown): ReadManifest {
  const wild = findWild(value);
  if (wild) return { findings: [wild] };
  if (!isRecord(value)) return { findings: [malformed('', 'an object with "pipeline" or "models"', value)] };
  if ('pipeline' in value) {
    const read = pipelineSchema.safeParse(value);
    return read.success
      ? { manifest: read.data.pipeline, findings: [] }
      : { findings: toFindings(read.error, value) };
  }
  if (!('models' in value))
    return { findings: [malformed('', 'the key "pipeline", or "models" for a single merge', value)] };
  const read = singleSchema.safeParse(value);
  if (!read.success) return { findings: toFindings(read.error, value) };
  const { $schema: _, ...step } = read.data;
  return {
    manifest: { steps: [step], cleanup: { temp_files: true, keep_intermediates: false } },
    findings: [],
  };
}

/** What no parser of plain JSON gives, and what would cost without end: cycles, depth, masses, prototypes. */
function findWild(value: unknown): Finding | undefined {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let seen = 0; ; seen++) {
    const next = open.pop();
    if (!next) return undefined;
    if (next.depth > MAX_DEPTH) return oversized(`at most ${MAX_DEPTH} levels`, 'one that nests deeper');
    if (seen > MAX_VALUES) return oversized(`at most ${MAX_VALUES} values`, 'more');
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (Object.hasOwn(next.value, '__proto__')) return oversized('ordinary keys', '"__proto__"');
    for (const inner of Object.values(next.value)) open.push({ value: inner, depth: next.depth + 1 });
  }
}

function oversized(expected: string, got: string): Finding {
  return fail(CODE, { expected: `a manifest with ${expected}`, got });
}

function toFindings(error: z.ZodError, root: unknown): readonly Finding[] {
  return error.issues
    .flatMap((issue) => spread(issue, []))
    .slice(0, MAX_FINDINGS)
    .map(({ issue, path }) => {
      const place = valueAt(root, path);
      if (issue.code === 'unrecognized_keys') {
        const got = issue.keys.map((key) => `"${key}"`).join(', ');
        return fail(CODE, { ...stepOf(root, path), where: spell(path), expected: issue.message, got });
      }
      return { ...malformed(spell(path), expectedBy(issue), place), ...stepOf(root, path) };
    });
}

type Issue = z.core.$ZodIssue;
type Placed = { readonly issue: Issue; readonly path: readonly PropertyKey[] };

/** Of a choice of forms, what is wrong with the one that was meant: the one whose kind of value came. */
function spread(issue: Issue, above: readonly PropertyKey[]): Placed[] {
  const path = [...above, ...issue.path];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ issue, path }];
  const meant = issue.errors.find(([first]) => first?.code !== 'invalid_type' || first.path.length > 0);
  return meant ? meant.flatMap((inner) => spread(inner, path)) : [{ issue, path }];
}

function expectedBy(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'too_small':
      return `at least ${sizeOf(Number(issue.minimum), issue.origin)}`;
    case 'too_big':
      return `at most ${sizeOf(Number(issue.maximum), issue.origin)}`;
    case 'invalid_union':
      return issue.errors.length === 0
        ? issue.message
        : `${issue.errors.flatMap((inner) => inner.slice(0, 1).map(expectedBy)).join(', or ')}`;
    default:
      return issue.message;
  }
}

function sizeOf(size: number, origin: string): string {
  if (origin === 'array') return `${size} ${size === 1 ? 'entry' : 'entries'}`;
  return origin === 'string' ? `${size} ${size === 1 ? 'letter' : 'letters'}` : String(size);
}

function malformed(where: string, expected: string, got: unknown): Finding {
  return fail(CODE, { ...(where !== '' && { where }), expected, got: describeValue(got) });
}

/** `pipeline.steps[2].models[0]`. */
function spell(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

/** The id of the innermost step on the way. */
function stepOf(root: unknown, path: readonly PropertyKey[]): { readonly step?: string } {
  for (let length = path.length; length > 0; length--) {
    if (typeof path[length - 1] !== 'number') continue;
    const value = valueAt(root, path.slice(0, length));
    if (isRecord(value) && 'type' in value && typeof value['id'] === 'string') return { step: value['id'] };
  }
  return {};
}
