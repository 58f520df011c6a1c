import { readFileSync } from 'node:fs';
import type { Dtype } from '../../nodes/formats/safetensors/dtypes.ts';
import { isDtype } from '../../nodes/formats/safetensors/dtypes.ts';
import { layoutTensors } from '../../nodes/formats/safetensors/layout.ts';
import { detectArchitecture } from '../../nodes/merge/architectures/detect.ts';
import { findMethod } from '../../nodes/merge/find-method.ts';
import type { FileFacts, PipelineFacts } from '../../nodes/pipeline/facts.ts';
import type { PlanOptions } from '../../nodes/pipeline/plan-pipeline.ts';

/** Name to `F16 320 4 3 3`. */
export type Tensors = Readonly<Record<string, string>>;

/** Facts of a file with these tensors, as the bridge would collect them. */
export function fileOf(path: string, tensors: Tensors, more: Partial<FileFacts> = {}): FileFacts {
  const shapes = Object.entries(tensors).map(([name, text]) => {
    const [dtype = '', ...sides] = text.split(/[ x]/);
    if (!isDtype(dtype)) throw new Error(text);
    return { name, dtype, shape: sides.map(Number) };
  });
  const layout = layoutTensors(shapes, new Map());
  const held = new Map(
    [...layout.tensors.values()].map(
      ({
        name,
        dtype,
        shape,
        begin,
      }): [string, { dtype: Dtype; shape: readonly number[]; file: string; offset: number }] => [
        name,
        { dtype, shape, file: path, offset: layout.header.length + begin },
      ],
    ),
  );
  return {
    path,
    identity: path,
    exists: true,
    bytes: layout.header.length + layout.dataBytes,
    headerBytes: layout.header.length,
    volume: 'disk',
    tensors: held,
    detection: detectArchitecture(held),
    metadata: new Map(),
    ...more,
  };
}

/** A path where nothing is yet. */
export function nothingAt(path: string, more: Partial<FileFacts> = {}): FileFacts {
  return fileOf(path, {}, { exists: false, bytes: 0, headerBytes: 0, ...more });
}

export function factsOf(...files: FileFacts[]): PipelineFacts {
  return { files: new Map(files.map((file) => [file.path, file])), freeBytes: new Map() };
}

export function optionsOf(more: Partial<PlanOptions> = {}): PlanOptions {
  return {
    mode: 'staged',
    keepTemps: false,
    tempPath: (id) => `temp/${id}`,
    findMethod,
    metadataOf: () => new Map(),
    score: () => undefined,
    valuesOf: () => undefined,
    result: () => undefined,
    ...more,
  };
}

type Nested = { readonly [step: string]: Nested | string };

/** The header of a real layout: written down from ComfyUI's own model code by fixtures/merge/architectures/generate.py. */
export function realTensors(name: string): {
  readonly tensors: Tensors;
  readonly count: number;
  readonly elements: number;
} {
  const file: { readonly tensors: Nested; readonly count: number; readonly elements: number } = JSON.parse(
    readFileSync(new URL(`../../fixtures/merge/architectures/${name}-keys.json`, import.meta.url), 'utf8'),
  );
  const flat: Record<string, string> = {};
  const walk = (node: Nested | string, path: readonly string[]): void => {
    if (typeof node === 'string') flat[path.join('.')] = node;
    // `a|b` stands for both.
    else
      for (const [steps, inner] of Object.entries(node))
        for (const step of steps.split('|')) walk(inner, [...path, step]);
  };
  walk(file.tensors, []);
  return { tensors: flat, count: file.count, elements: file.elements };
}

/** An `if` step: written so, since an object literal with `then` looks like a promise. */
export function ifStep(
  id: string,
  condition: object,
  yes: readonly object[],
  no?: readonly object[],
): object {
  return Object.fromEntries([
    ...Object.entries({ id, type: 'if', condition, ...(no && { else: no }) }),
    ['then', yes],
  ]);
}
