import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { createFileHasher } from '../../../bridge/local/hash-file.ts';
import { createMemoryLedger } from '../../../bridge/local/ledger.ts';
import type { RunOptions } from '../../../bridge/pipeline/open-run.ts';
import type { PipelineEvent, PipelineReport } from '../../../bridge/pipeline/pipeline-report.ts';
import { runPipeline } from '../../../bridge/pipeline/run-pipeline.ts';
import { drawNumbers, f16, type Made, writeModel } from '../merge/small-models.ts';

/** The tensors that give SDXL away, in other sizes, and some more: 20 KiB instead of 7 GB. */
const SDXL = {
  'model.diffusion_model.label_emb.0.0.weight': [8, 22],
  'model.diffusion_model.input_blocks.0.0.weight': [8, 4, 3, 3],
  'model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight': [16, 32],
  'model.diffusion_model.input_blocks.7.1.transformer_blocks.1.attn2.to_k.weight': [32, 32],
  'model.diffusion_model.middle_block.1.transformer_blocks.9.attn1.to_q.weight': [32, 32],
  'model.diffusion_model.output_blocks.2.1.transformer_blocks.9.ff.net.2.weight': [32, 64],
  'model.diffusion_model.output_blocks.2.1.transformer_blocks.9.ff.net.2.bias': [32],
  'conditioner.embedders.0.transformer.text_model.encoder.layers.0.mlp.fc1.weight': [16, 8],
  'first_stage_model.decoder.conv_in.weight': [8, 4, 3, 3],
} as const;

export const SD15 = {
  'model.diffusion_model.input_blocks.0.0.weight': [320, 4, 3, 3],
  'model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight': [320, 768],
  'model.diffusion_model.input_blocks.1.1.proj_in.weight': [320, 320, 1, 1],
} as const;

export function drawModel(
  shapes: Readonly<Record<string, readonly number[]>>,
  seed: number,
): ReadonlyMap<string, Made> {
  return new Map(
    Object.entries(shapes).map(([name, shape], at) => {
      const size = shape.reduce((product, side) => product * side, 1);
      return [name, f16(shape, drawNumbers(seed + at, size))];
    }),
  );
}

/** A folder with the models that the example manifests name; it goes with the test. */
export function makeModelFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lineage-pipeline-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeExampleModels(folder);
  return folder;
}

export function writeExampleModels(folder: string): void {
  const names = ['realistic_base_v1', 'photorealism_v2', 'anime_style_v1', 'manga_style_v2'];
  names.forEach((name, at) => {
    writeModel(join(folder, `${name}.safetensors`), drawModel(SDXL, 1000 * (at + 1)));
  });
  const vae = new Map(
    [...drawModel(SDXL, 9000)].flatMap(([name, tensor]) =>
      name.startsWith('first_stage_model.') ? [[name.slice(18), tensor] as const] : [],
    ),
  );
  writeModel(join(folder, 'anime_vae.safetensors'), vae);
}

export type Run = { readonly report: PipelineReport; readonly events: readonly PipelineEvent[] };

/** Runs manifests in a folder, one after the other with the same memory of hashes. */
export function runnerIn(folder: string) {
  const [ledger, hasher] = [createMemoryLedger(), createFileHasher()];
  onTestFinished(() => hasher.close());
  return async (
    manifest: unknown,
    more: Partial<RunOptions> & { readonly signal?: AbortSignal } = {},
  ): Promise<Run> => {
    const events: PipelineEvent[] = [];
    const { signal = new AbortController().signal, ...options } = more;
    const report = await runPipeline({
      manifest,
      pathOf: (spelled) => resolve(folder, spelled),
      name: 'test',
      mode: 'staged',
      keepTemps: false,
      threads: 1,
      memoryBytes: 2 ** 28,
      access: { ledger, hasher, signal },
      scoresFolder: join(folder, '.scores'),
      onEvent: (event) => events.push(event),
      ...options,
    });
    return { report, events };
  };
}

export function outcomesOf({ report }: Run): Record<string, string> {
  return Object.fromEntries(report.steps.map(({ id, outcome }) => [id, outcome]));
}

export function sha256Of(folder: string, file: string): string {
  return createHash('sha256')
    .update(readFileSync(join(folder, file)))
    .digest('hex');
}

/** Every file below a folder, hidden ones included, but not what was measured; no folders. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((file) => !file.startsWith('.scores'))
    .sort();
}
