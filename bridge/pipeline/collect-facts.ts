import { detectImageFormat } from '../../nodes/formats/detect.ts';
import { type ErrorCode, isLineageError, mismatchOf } from '../../nodes/kit/errors.ts';
import type { PeftConfig } from '../../nodes/lora/dialects/peft-config.ts';
import { detectArchitecture } from '../../nodes/merge/architectures/detect.ts';
import type { FileFacts, HeldTensor, PipelineFacts } from '../../nodes/pipeline/facts.ts';
import { readHead } from '../local/read-file.ts';
import { openWeights } from '../merge/open-weights.ts';
import { readConfigBeside } from './adapter-config.ts';
import { freeBytesAt, locate } from './locate.ts';

/** The facts of a pipeline, and the files that its models are made of. */
export type CollectedFacts = PipelineFacts & {
  /** By path as the manifest spells it: the absolute paths of the files with tensors. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
  /** Why a file cannot be used, by path. */
  readonly problems: ReadonlyMap<string, ErrorCode>;
};

const NO_TENSORS: Pick<FileFacts, 'tensors' | 'metadata' | 'bytes' | 'headerBytes'> = {
  tensors: new Map(),
  metadata: new Map(),
  bytes: 0,
  headerBytes: 0,
};

/** Finds the configuration of an adapter, by its absolute path and the names of its tensors. */
export type FindConfig = (file: string, names: Iterable<string>) => Promise<PeftConfig | undefined>;

/**
 * Opens every file that a manifest reads and looks where it writes. What is wrong with a file is one of its facts; no
 * tensor is read.
 *
 * @param reads and writes as the manifest spells them.
 * @param pathOf gives the absolute path of one.
 * @param findConfig what stands beside adapters, unless something else is known of it.
 * @throws LineageError `file/unreadable` for folders that cannot even be looked into
 */
export async function collectFacts(
  reads: readonly string[],
  writes: readonly string[],
  pathOf: (spelled: string) => string,
  findConfig: FindConfig = readConfigBeside,
): Promise<CollectedFacts> {
  const files = new Map<string, FileFacts>();
  const parts = new Map<string, readonly string[]>();
  const problems = new Map<string, ErrorCode>();
  const freeBytes = new Map<string, number>();
  for (const path of reads) {
    const { facts, files: held, problem } = await readFacts(path, pathOf(path), findConfig);
    if (problem !== undefined) problems.set(path, problem);
    files.set(path, facts);
    parts.set(path, held);
  }
  for (const path of writes) {
    const { identity, volume, exists, isFile } = await locate(pathOf(path));
    const bytes = exists && isFile ? (await readFacts(path, pathOf(path))).facts.bytes : 0;
    if (!files.has(path)) files.set(path, { ...NO_TENSORS, path, identity, volume, exists, bytes });
    const free = await freeBytesAt(pathOf(path));
    if (free !== undefined) freeBytes.set(volume, free);
  }
  return { files, parts, problems, freeBytes };
}

/**
 * The facts of one file that is read.
 *
 * @param findConfig absent: a result of a step, whose address tells of no file beside it.
 */
export async function readFacts(
  path: string,
  absolute: string,
  findConfig?: FindConfig,
): Promise<{ readonly facts: FileFacts; readonly files: readonly string[]; readonly problem?: ErrorCode }> {
  const { identity, volume, exists } = await locate(absolute);
  const place = { path, identity, volume, exists };
  if (!exists) return { facts: { ...place, ...NO_TENSORS }, files: [] };
  try {
    const { files, tensors, metadata, bytes } = await openWeights(absolute);
    const held = new Map(
      [...tensors].map(([name, { dtype, shape, file, offset }]): [string, HeldTensor] => [
        name,
        { dtype, shape, file: files[file] ?? absolute, offset },
      ]),
    );
    const dataBytes = [...tensors.values()].reduce((sum, tensor) => sum + tensor.bytes, 0);
    const adapterConfig = await findConfig?.(absolute, held.keys());
    const facts = {
      tensors: held,
      metadata,
      bytes,
      headerBytes: bytes - dataBytes,
      ...(adapterConfig && { adapterConfig }),
    };
    return { facts: { ...place, ...facts, detection: detectArchitecture(held) }, files };
  } catch (error) {
    if (!isLineageError(error)) throw error;
    const kind = error.code === 'safetensors/malformed' ? await nameOtherKind(absolute) : undefined;
    const { expected, got } = kind ? { expected: 'a safetensors file', got: kind } : mismatchOf(error);
    const problem = { expected, got, hint: error.hint };
    return { facts: { ...place, ...NO_TENSORS, problem }, files: [], problem: error.code };
  }
}

/** Enough to tell what a file is. */
const HEAD_BYTES = 256;

/** What a file is that is no safetensors file, where it is something well known. */
async function nameOtherKind(path: string): Promise<string | undefined> {
  const head = await readHead(path, HEAD_BYTES);
  if (head.length === 0) return 'an empty file';
  const image = detectImageFormat(head);
  if (image !== undefined) return `a ${image.toUpperCase()} picture`;
  if (head[0] === 0x3c) return 'a web page, as a failed download leaves it';
  return head.every((byte) => byte >= 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)
    ? 'a text file'
    : undefined;
}
