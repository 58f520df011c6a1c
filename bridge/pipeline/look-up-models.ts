import { LineageError } from '../../nodes/kit/errors.ts';
import type { ModelStore } from '../../nodes/kit/host.ts';
import type { ModelFolder } from '../../nodes/kit/values.ts';
import type { Manifest, Step } from '../../nodes/pipeline/manifest.ts';
import { branchesOf, referencesOf } from '../../nodes/pipeline/references.ts';

/**
 * The files that an untrusted manifest names, each looked up in the machine's model folders by what it is used for.
 *
 * @returns absolute path by path as the manifest spells it
 * @throws LineageError `file/missing` naming step and name; `merge/graph` where one name means two files
 */
export async function lookUpModels(
  { steps }: Pick<Manifest, 'steps'>,
  models: ModelStore,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const step of allSteps(steps)) {
    for (const { where, ref } of referencesOf(step)) {
      if (ref.path === undefined) continue;
      const file = await lookUp(step.id, where, ref.path, models);
      if ((found.get(ref.path) ?? file) !== file) {
        const message = `step "${step.id}", ${where}: expected a name that means one file, got "${ref.path}", which is another elsewhere`;
        throw new LineageError('merge/graph', message, { input: 'manifest' });
      }
      found.set(ref.path, file);
    }
  }
  return found;
}

async function lookUp(step: string, where: string, name: string, models: ModelStore): Promise<string> {
  const folders = foldersFor(where);
  const lookup = await models.find(name, folders);
  if (lookup.found) return lookup.file;
  const got = {
    missing: 'no such file',
    outside: 'a name that leads out of them',
    unconfigured: 'no model folders',
  }[lookup.reason];
  throw new LineageError(
    'file/missing',
    `step "${step}", ${where}: expected "${name}" in ${folders.join(' or ')}, got ${got}`,
  );
}

/** @param where the place of the reference in its step */
function foldersFor(where: string): readonly ModelFolder[] {
  if (where.startsWith('loras')) return ['loras'];
  if (where.startsWith('embeddings')) return ['embeddings'];
  if (where === 'vae') return ['vae', 'checkpoints', 'diffusion_models'];
  return ['checkpoints', 'diffusion_models', 'vae'];
}

function allSteps(steps: readonly Step[]): readonly Step[] {
  return steps.flatMap((step) => [step, ...branchesOf(step).flatMap(([, inner]) => allSteps(inner))]);
}
