import { z } from 'zod';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import type { PublishedModel } from '../../nodes/kit/host.ts';
import { readFileChecked } from './read-file.ts';

/** Civitai's answer for a version with many pictures is some hundred KiB. */
const MAX_SIDECAR_BYTES = 8 * 1024 * 1024;

const positive = z.number().int().positive();
const name = z.string().max(1_000).nullish();
/** A model version as Civitai's API gives it, as far as it is needed. */
const versionSchema = z.object({
  id: positive.nullish(),
  name,
  air: name,
  model: z.object({ name }).nullish(),
  files: z
    .array(z.object({ hashes: z.object({ SHA256: z.string().max(64).nullish() }).nullish() }))
    .max(1_000)
    .nullish(),
});
type Version = z.infer<typeof versionSchema>;
/** What LoRA Manager keeps beside a model: facts of its own, and under `civitai` the version as above. */
const managerSchema = z.object({
  model_name: name,
  sha256: z.string().max(64).nullish(),
  civitai: versionSchema.nullish(),
});

/** `urn:air:sdxl:lora:civitai:328553@368189`. @see https://github.com/civitai/civitai/wiki/AIR */
const AIR = /^(?:urn:)?(?:air:)?(?:[^:@]+:)?(?:[^:@]+:)?civitai:\d+@(\d+)(?:[.+].*)?$/;

type Sidecar = { readonly ending: string; readonly read: (json: unknown) => PublishedModel | undefined };

/** In this order: the first was written for nothing else. */
const SIDECARS: readonly Sidecar[] = [
  { ending: '.civitai.info', read: (json) => toPublished(versionSchema.parse(json), {}) },
  {
    ending: '.metadata.json',
    read(json) {
      const { model_name, sha256, civitai } = managerSchema.parse(json);
      return toPublished(civitai ?? {}, { modelName: model_name, sha256 });
    },
  },
];

/**
 * What the files beside a model say it is called on Civitai: `NAME.civitai.info` of several download tools, then
 * `NAME.metadata.json` of LoRA Manager. Undefined where there are none, or none knows. They are anybody's JSON.
 *
 * @param file the model
 * @param reach a path that may be read for one beside the model; undefined where there is none
 * @throws LineageError `file/unreadable` where one is damaged and none of the others knows
 */
export async function readModelSidecar(
  file: string,
  reach: (path: string) => Promise<string | undefined>,
): Promise<PublishedModel | undefined> {
  const stem = file.replace(/\.[^./\\]+$/, '');
  let damaged: unknown;
  for (const { ending, read } of SIDECARS) {
    const path = await reach(stem + ending);
    if (path === undefined) continue;
    try {
      const found = read(await readJson(path));
      if (found) return found;
    } catch (error) {
      damaged ??= asUnreadable(error, path);
    }
  }
  if (damaged !== undefined) throw damaged;
  return undefined;
}

async function readJson(path: string): Promise<unknown> {
  const bytes = await readFileChecked(path, MAX_SIDECAR_BYTES);
  return JSON.parse(new TextDecoder().decode(bytes));
}

function asUnreadable(error: unknown, path: string): unknown {
  if (isLineageError(error)) return error;
  const got = describe(error);
  if (got === undefined) return error;
  const message = `expected what Civitai says of a model version, got ${got}`;
  return new LineageError('file/unreadable', message, { file: path }, { cause: error });
}

function describe(error: unknown): string | undefined {
  if (error instanceof SyntaxError) return 'no JSON';
  if (!(error instanceof z.ZodError)) return undefined;
  const place = error.issues[0]?.path.join('.') ?? '';
  return place === '' ? 'something else' : `another ${place}`;
}

function toPublished(
  { id, air, name: versionName, model, files }: Version,
  more: { readonly modelName?: string | null | undefined; readonly sha256?: string | null | undefined },
): PublishedModel | undefined {
  const inAir = Number(AIR.exec(air ?? '')?.[1]);
  const modelVersionId = id ?? (Number.isSafeInteger(inAir) ? inAir : undefined);
  if (modelVersionId === undefined || modelVersionId === 0) return undefined;
  const modelName = model?.name ?? more.modelName;
  const listed = [more.sha256, ...(files ?? []).map(({ hashes }) => hashes?.SHA256)];
  const sha256s = listed.flatMap((hash) => (hash ? [hash.toLowerCase()] : []));
  return {
    version: {
      modelVersionId,
      ...(modelName && { modelName }),
      ...(versionName && { versionName }),
    },
    sha256s,
  };
}
