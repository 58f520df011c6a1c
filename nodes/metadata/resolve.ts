import type { MetaField } from '../../rules/define.ts';
import { isLineageError } from '../kit/errors.ts';
import type { CivitaiVersion, ModelStore } from '../kit/host.ts';
import type { FileHashes, ModelFolder } from '../kit/values.ts';
import type { WarningSink } from '../kit/warnings.ts';
import type { CapturedFact } from './capture.ts';
import { allFacts, type Learnt } from './learn.ts';
import { asText } from './operations.ts';

/** What kind of file a fact names; `lora` and `embed` are also Civitai's prefixes in `Hashes`. */
type ResourceKind =
  | 'model'
  | 'vae'
  | 'lora'
  | 'embed'
  | 'clip'
  | 'controlnet'
  | 'upscaler'
  | 'clip_vision'
  | 'style_model'
  | 'hypernetwork';

/** A file that took part, found or not. */
export type Resource = {
  readonly kind: ResourceKind;
  /** As the graph names it. */
  readonly name: string;
  readonly found: boolean;
  /** Where it lies on this machine; never written into a picture. */
  readonly file?: string;
  readonly bytes?: number;
  readonly hashes?: FileHashes;
  /** What Civitai calls it, where a file beside it says so. */
  readonly civitai?: CivitaiVersion;
};

type Naming = { readonly kind: ResourceKind; readonly folders: readonly ModelFolder[] };

/** Fields that name files, and the folders ComfyUI looks for them in. */
const NAMES: Readonly<Partial<Record<MetaField, Naming>>> = {
  MODEL_NAME: { kind: 'model', folders: ['checkpoints', 'diffusion_models'] },
  VAE_NAME: { kind: 'vae', folders: ['vae'] },
  LORA_MODEL_NAME: { kind: 'lora', folders: ['loras'] },
  EMBEDDING_NAME: { kind: 'embed', folders: ['embeddings'] },
  CLIP_MODEL_NAME: { kind: 'clip', folders: ['text_encoders', 'checkpoints'] },
  CONTROLNET_NAME: { kind: 'controlnet', folders: ['controlnet'] },
  UPSCALE_MODEL_NAME: { kind: 'upscaler', folders: ['upscale_models'] },
  CLIP_VISION_NAME: { kind: 'clip_vision', folders: ['clip_vision'] },
  STYLE_MODEL_NAME: { kind: 'style_model', folders: ['style_models'] },
  HYPERNETWORK_NAME: { kind: 'hypernetwork', folders: ['hypernetworks'] },
};

/** Resources by kind and name. */
export type Resources = ReadonlyMap<string, Resource>;

function resourceKey(kind: ResourceKind, name: string): string {
  return `${kind}:${name}`;
}

/** The resource that a fact names, if it names a file. */
export function resourceOf(fact: CapturedFact, resources: Resources): Resource | undefined {
  const naming = NAMES[fact.field];
  return naming && resources.get(resourceKey(naming.kind, asText(fact.value)));
}

type RecordedVersion = { readonly [Member in keyof CivitaiVersion]: CivitaiVersion[Member] | undefined };

/** A resource as a record of ours tells of it. */
type Recorded = Partial<Pick<Resource, 'found'>> & {
  readonly kind: string;
  readonly name: string;
  readonly bytes?: number | undefined;
  readonly civitai?: RecordedVersion | undefined;
} & {
  readonly [Hash in keyof FileHashes]?: string | undefined;
};

/**
 * Names to files and hashes: the one step between parse and write that waits. A file that is missing, outside
 * the configured folders or unreadable is a fact of the result and a warning, not an exception.
 *
 * @param more.known what a record in the picture at hand says of files of the same kind and name; used, with a
 *   warning, where no model folders are configured, so that tagging a picture again does not lose its hashes
 */
export async function resolveResources(
  learnt: Learnt,
  models: ModelStore,
  warn: WarningSink,
  more: { readonly signal?: AbortSignal; readonly known?: readonly Recorded[] } = {},
): Promise<Resources> {
  const resources = new Map<string, Resource>();
  const known = new Map(more.known?.map((each) => [`${each.kind}:${each.name}`, each]));
  for (const fact of allFacts(learnt)) {
    const naming = NAMES[fact.field];
    if (!naming) continue;
    const name = asText(fact.value);
    const key = resourceKey(naming.kind, name);
    if (resources.has(key)) continue;
    more.signal?.throwIfAborted();
    resources.set(key, await resolveOne(naming, name, models, warn, { ...more, known: known.get(key) }));
  }
  return resources;
}

async function resolveOne(
  { kind, folders }: Naming,
  name: string,
  models: ModelStore,
  warn: WarningSink,
  { signal, known }: { readonly signal?: AbortSignal; readonly known: Recorded | undefined },
): Promise<Resource> {
  const lookup = await models.find(name, folders);
  if (!lookup.found) {
    if (lookup.reason === 'missing') warn('resource/missing', `${kind} ${name}`, folders.join(', '));
    if (lookup.reason === 'outside') warn('resource/outside', `${kind} ${name}`, folders.join(', '));
    const hashes = lookup.reason === 'unconfigured' ? known && hashesOf(known) : undefined;
    if (hashes) warn('resource/recorded', `${kind} ${name}: ${hashes.autoV2}`, folders.join(', '));
    if (!known || !hashes) return { kind, name, found: false };
    // As it was recorded, so that tagging a picture again changes nothing in it.
    const { found = false, bytes } = known;
    const civitai = versionOf(known.civitai);
    return { kind, name, found, ...(bytes !== undefined && { bytes }), hashes, ...(civitai && { civitai }) };
  }
  const { bytes, file } = lookup;
  try {
    const hashes = await models.hash(file, signal);
    const civitai = await readPublished(file, hashes, models, (why) =>
      warn('resource/sidecar', `${kind} ${name}: ${why}`, folders.join(', ')),
    );
    return { kind, name, found: true, file, bytes, hashes, ...(civitai && { civitai }) };
  } catch (error) {
    // One unreadable file must not cost the picture its other metadata.
    if (!isLineageError(error, 'file/unreadable')) throw error;
    warn('resource/unreadable', `${kind} ${name}: ${error.message}`, folders.join(', '));
    return { kind, name, found: true, file, bytes };
  }
}

/** A sidecar that stayed when the model was replaced would give the picture another model's name. */
async function readPublished(
  file: string,
  { sha256 }: FileHashes,
  models: ModelStore,
  ignore: (why: string) => void,
): Promise<CivitaiVersion | undefined> {
  try {
    const published = await models.published?.(file);
    if (!published || published.sha256s.length === 0 || published.sha256s.includes(sha256))
      return published?.version;
    ignore(`its sidecar is of a file with the hash ${published.sha256s[0]}`);
  } catch (error) {
    if (!isLineageError(error, 'file/unreadable')) throw error;
    ignore(error.message);
  }
  return undefined;
}

function versionOf(recorded: RecordedVersion | undefined): CivitaiVersion | undefined {
  const { modelVersionId, modelName, versionName } = recorded ?? {};
  if (modelVersionId === undefined) return undefined;
  return {
    modelVersionId,
    ...(modelName !== undefined && { modelName }),
    ...(versionName !== undefined && { versionName }),
  };
}

function hashesOf({ sha256, autoV1, autoV2, autoV3 }: Recorded): FileHashes | undefined {
  if (!sha256 || !autoV1 || !autoV2) return undefined;
  return { sha256, autoV1, autoV2, ...(autoV3 && { autoV3 }) };
}
