import { byteLength } from '../formats/safetensors/header.ts';
import { type KeyMap, makeKeyMap } from '../merge/architectures/key-spaces.ts';
import type { Placement } from '../merge/architectures/placement.ts';
import { caution, type Finding, fail, listNames } from './finding.ts';
import type { Taken } from './take-part.ts';
import { architectureOf, type ModelView, type ViewTensor } from './view.ts';

/** Namings that a convert step can write. `ldm`: a checkpoint's; `comfy-bare`: its denoiser's without a prefix. */
export const KEY_SPACES = ['ldm', 'comfy-bare', 'diffusers'] as const;

/**
 * A model under other names. What q, k and v of a fused tensor are, is cut out of the stored rows; names that mean
 * nothing in the target are left out and listed.
 */
export function convertNames(step: string, model: ModelView, space: (typeof KEY_SPACES)[number]): Taken {
  const architecture = architectureOf(model);
  if (!architecture) {
    const got = `${model.label}, which was not recognised`;
    return refuse(model, step, { expected: 'a model of a known architecture', got });
  }
  const keys = makeKeyMap(architecture);
  const tensors = new Map<string, ViewTensor>();
  const left: string[] = [];
  const stuck: string[] = [];
  for (const [name, tensor] of model.tensors) {
    const places = namesOf(name, keys, space);
    if (places === undefined) stuck.push(name);
    else if (places.length === 0) left.push(name);
    for (const { name: target, place } of places ?? []) {
      const part = cut(tensor, place);
      if (part) tensors.set(target, part);
      else stuck.push(name);
    }
  }
  if (stuck.length > 0)
    return refuse(model, step, {
      expected: `tensors that can be named as ${space} does without changing their values`,
      got: `${stuck.length} that cannot: ${listNames(stuck)}`,
    });
  const findings: Finding[] = [];
  if (left.length > 0)
    findings.push(
      caution('pipeline/keys', {
        step,
        expected: `names that ${space} has`,
        got: `${left.length} without one, left out: ${listNames(left)}`,
      }),
    );
  return { tensors, findings };
}

/** The tensors that one becomes; undefined where only turned or joined ones would do. */
function namesOf(
  name: string,
  keys: KeyMap,
  space: (typeof KEY_SPACES)[number],
): readonly { readonly name: string; readonly place: Placement }[] | undefined {
  const canonical = keys.toCanonical(name);
  if (!canonical) return [];
  if (canonical.rows || canonical.turn) return undefined;
  if (space === 'ldm') return [{ name: canonical.name, place: canonical }];
  return keys.fromCanonical(canonical.name, space);
}

function cut(tensor: ViewTensor, { rows, turn }: Placement): ViewTensor | undefined {
  if (turn !== undefined) return undefined;
  if (!rows) return tensor;
  const { value, dtype } = tensor;
  const [all = 0, ...rest] = tensor.shape;
  const rowBytes = value.kind === 'stored' ? byteLength(value.dtype, rest) : undefined;
  if (value.kind !== 'stored' || rowBytes === undefined || rows[1] > all) return undefined;
  const shape = [rows[1] - rows[0], ...rest];
  return { dtype, shape, value: { ...value, shape, offset: value.offset + rows[0] * rowBytes } };
}

function refuse(
  { tensors }: ModelView,
  step: string,
  detail: { readonly expected: string; readonly got: string },
): Taken {
  return { tensors, findings: [fail('pipeline/part', { step, where: 'model', ...detail })] };
}
