import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { documentSchema, type LineageDocument } from '../../../nodes/metadata/record.ts';

const PROGRAM = fileURLToPath(new URL('../../../bridge/lineage.mjs', import.meta.url));
/** Halves the time that a process takes to start. */
const COMPILED = fileURLToPath(new URL('../../../node_modules/.cache/lineage-tests', import.meta.url));
export const EXAMPLES = fileURLToPath(new URL('../../../fixtures/examples/metadata/', import.meta.url));

/** What a finished process left. */
export type Ended = {
  /** null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type StartOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** Another Node than the one that runs the tests. */
  readonly node?: string;
  /** Called with all of stderr so far whenever more comes. */
  readonly onError?: (stderr: string, child: ChildProcess) => void;
  readonly onStart?: (child: ChildProcess) => void;
};

/** A folder that goes with the test; the ledger of processes started in it lies beside, not in it. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lineage-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs the command in a process of its own, in `folder`. */
export async function lineage(
  folder: string,
  args: readonly string[],
  { env = {}, node = process.execPath, onError, onStart }: StartOptions = {},
): Promise<Ended> {
  const home = `${folder}-home`;
  const child = spawn(node, [PROGRAM, ...args], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', NODE_COMPILE_CACHE: COMPILED, LINEAGE_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onStart?.(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onError?.(stderr, child);
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  rmSync(home, { recursive: true, force: true });
  return { status, stdout, stderr };
}

/** The one JSON document that stdout holds. */
export function documentOf({ stdout }: Ended): Record<string, unknown> {
  expect(stdout.endsWith('}\n')).toBe(true);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Runs a tag that must work, and gives its document. */
export async function tag(folder: string, ...args: string[]): Promise<LineageDocument> {
  const ended = await lineage(folder, ['tag', ...args, '--json']);
  expect(ended.status, ended.stderr).toBe(0);
  return documentSchema.parse(documentOf(ended));
}

/** Runs a command that must fail, and checks that it says why and leaves no file behind. */
export async function expectFailure(
  folder: string,
  args: readonly string[],
  expected: { readonly status: number; readonly code: string; readonly says?: RegExp },
): Promise<void> {
  const before = listOf(folder);
  const ended = await lineage(folder, [...args, '--json']);
  expect(ended.status, ended.stderr).toBe(expected.status);
  const { error } = documentOf(ended) as { error: { code: string; message: string; hint: string } };
  expect(error.code).toBe(expected.code);
  expect(error.hint).not.toBe('');
  expect(ended.stderr).toContain(error.message);
  if (expected.says) expect(error.message).toMatch(expected.says);
  expect(listOf(folder)).toEqual(before);
}

/** Every file below a folder, hidden ones included. */
export function listOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map(String).sort();
}
