import type { MetaField } from '../../rules/define.ts';
import { isLineageError } from '../kit/errors.ts';
import type { ModelStore } from '../kit/host.ts';
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

/**
 * Names to files and hashes: the one step between parse and write that waits. A file that is missing, outside
 * the configured folders or unreadable is a fact of the result and a warning, not an exception.
 */
export async function resolveResources(
  learnt: Learnt,
  models: ModelStore,
  warn: WarningSink,
  signal?: AbortSignal,
): Promise<Resources> {
  const resources = new Map<string, Resource>();
  for (const fact of allFacts(learnt)) {
    const naming = NAMES[fact.field];
    if (!naming) continue;
    const name = asText(fact.value);
    const key = resourceKey(naming.kind, name);
    if (resources.has(key)) continue;
    signal?.throwIfAborted();
    resources.set(key, await resolveOne(naming, name, models, warn, signal));
  }
  return resources;
}

async function resolveOne(
  { kind, folders }: Naming,
  name: string,
  models: ModelStore,
  warn: WarningSink,
  signal: AbortSignal | undefined,
): Promise<Resource> {
  const lookup = await models.find(name, folders);
  if (!lookup.found) {
    if (lookup.reason === 'missing') warn('resource/missing', `${kind} ${name}`, folders.join(', '));
    if (lookup.reason === 'outside') warn('resource/outside', `${kind} ${name}`, folders.join(', '));
    return { kind, name, found: false };
  }
  const { bytes, file } = lookup;
  try {
    return { kind, name, found: true, file, bytes, hashes: await models.hash(file, signal) };
  } catch (error) {
    // One unreadable file must not cost the picture its other metadata.
    if (!isLineageError(error, 'file/unreadable')) throw error;
    warn('resource/unreadable', `${kind} ${name}: ${error.message}`, folders.join(', '));
    return { kind, name, found: true, file, bytes };
  }
}
