import { stringifyAscii } from '../kit/exact-json.ts';
import type { CapturedFact } from './capture.ts';
import { type Lora, weightOf } from './loras.ts';
import { cleanValue } from './plain-text.ts';
import { type Resource, type Resources, resourceOf } from './resolve.ts';

/** One entry of the list; the names of its members, their order and the kinds are Civitai's. */
type Entry = {
  readonly type: string;
  readonly weight?: number;
  readonly modelVersionId: number;
  readonly modelName?: string;
  readonly modelVersionName?: string;
};

/** Civitai's words for the kinds that its own generator lists. */
const TYPES: Readonly<Partial<Record<Resource['kind'], string>>> = {
  model: 'checkpoint',
  embed: 'embed',
  vae: 'vae',
};

/**
 * The value of `Civitai resources`, as Civitai's own generator writes it: which of its model versions took part, and how
 * strong each LoRA was; a LoRA that is known by its hash alone counts as 1.0 there. Undefined where no sidecar said what
 * any of the files is called. Of two uses of a version the first counts.
 *
 * The site looks for the first `}]`, so the list is flat and no name holds a bracket.
 *
 * @see https://github.com/civitai/civitai/tree/main/src/utils/metadata
 */
export function civitaiResources(
  facts: readonly CapturedFact[],
  loras: readonly Lora[],
  resources: Resources,
): string | undefined {
  const files = facts.flatMap((fact) => {
    const resource = resourceOf(fact, resources);
    const type = resource && TYPES[resource.kind];
    return resource?.civitai && type !== undefined ? [{ type, ...resource.civitai }] : [];
  });
  const applied = loras.flatMap((lora) => {
    const weight = weightOf(lora);
    const known = weight === undefined ? {} : { weight };
    return lora.civitai ? [{ type: 'lora', ...known, ...lora.civitai }] : [];
  });
  const entries = new Map<number, Entry>();
  for (const { type, modelVersionId, modelName, versionName, ...more } of [
    ...files.filter(({ type }) => type === 'checkpoint'),
    ...applied,
    ...files.filter(({ type }) => type !== 'checkpoint'),
  ]) {
    if (entries.has(modelVersionId)) continue;
    const name = plainName(modelName);
    const version = plainName(versionName);
    entries.set(modelVersionId, {
      type,
      ...more,
      modelVersionId,
      ...(name !== '' && { modelName: name }),
      ...(version !== '' && { modelVersionName: version }),
    });
  }
  return entries.size === 0 ? undefined : stringifyAscii([...entries.values()]);
}

/** Names are other people's words: nothing in them may look like the line around. */
function plainName(name = ''): string {
  return cleanValue(name.replace(/[[\]{}\\<>]/g, ' '));
}
