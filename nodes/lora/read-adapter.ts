import type { AdapterModule, Role, TensorInfo } from './adapter-module.ts';
import type { Dialect } from './dialects/dialect.ts';
import { claimTensor } from './dialects/dialects.ts';
import { readFluxControl } from './dialects/flux-control.ts';
import { alphaOfTarget, isSavedModule, type PeftConfig } from './dialects/peft-config.ts';

/** A tensor that does nothing, and why. */
type UnusedTensor = {
  readonly name: string;
  /**
   * `unrecognised`: no dialect names a tensor so. `incomplete`: others of its module are missing, or exclude it.
   * `ownerless`: it belongs to a target of which the file has no module that takes it. `repeated`: another
   * spelling already gave it.
   */
  readonly reason: 'unrecognised' | 'incomplete' | 'ownerless' | 'repeated';
};

/** What an adapter's file holds: each of its tensors is in exactly one of these, α and the like of a target in all its modules. */
export type AdapterContents = {
  /** In the order of the file. */
  readonly modules: readonly AdapterModule[];
  /** Textual inversions that came along (`bundle_emb.NAME.…`): a name, then the rest of the key to the tensor. */
  readonly embeddings: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly unused: readonly UnusedTensor[];
};

/** The tensors of one target in one dialect. */
type Group = { readonly target: string; readonly dialect: Dialect; readonly tensors: Map<Role, string> };

type Header = ReadonlyMap<string, TensorInfo>;

/**
 * Sorts the tensors of an adapter file into modules, whatever dialects it mixes.
 * @param header names to dtypes and shapes, in the order of the file.
 * @param config of the `adapter_config.json` beside it.
 */
export function readAdapter(header: Header, config?: PeftConfig): AdapterContents {
  const groups = new Map<string, Group>();
  const shared = new Map<string, Map<Role, string>>();
  const embeddings = new Map<string, Map<string, string>>();
  const unused: UnusedTensor[] = [];
  const { modules, rest, reshapes } = readFluxControl(header);
  for (const name of rest) {
    const bundled = /^bundle_emb\.([^.]+)\.(.+)$/s.exec(name);
    const claim = claimTensor(name);
    if (bundled) at(embeddings, bundled[1] ?? '').set(bundled[2] ?? '', name);
    else if (!claim) {
      const saved = config && readSaved(name, config);
      if (saved) modules.push(saved);
      else unused.push({ name, reason: 'unrecognised' });
    } else {
      const { target, role, dialect } = claim;
      const tensors = dialect ? groupOf(groups, target, dialect).tensors : at(shared, target);
      if (tensors.has(role)) unused.push({ name, reason: 'repeated' });
      else tensors.set(role, name);
    }
  }
  const taken = new Set<string>();
  for (const group of groups.values()) {
    const adapter = makeModule(group, groups, shared.get(group.target), header, config);
    const reshape = adapter?.part === 'weight' ? reshapes.get(group.target) : undefined;
    if (adapter) modules.push({ ...adapter, ...(reshape && { reshape }) });
    for (const name of Object.values(adapter?.tensors ?? {})) taken.add(name);
    if (!adapter) for (const name of group.tensors.values()) unused.push({ name, reason: 'incomplete' });
  }
  for (const tensors of shared.values()) {
    for (const name of tensors.values()) if (!taken.has(name)) unused.push({ name, reason: 'ownerless' });
  }
  return { modules, embeddings, unused };
}

/** The group's module, or nothing where its tensors are no whole. */
function makeModule(
  { target, dialect, tensors: own }: Group,
  groups: ReadonlyMap<string, Group>,
  shared: ReadonlyMap<Role, string> | undefined,
  header: Header,
  config: PeftConfig | undefined,
): AdapterModule | undefined {
  const kind =
    typeof dialect.kind === 'string'
      ? dialect.kind
      : dialect.kind((role) => header.get(own.get(role) ?? '')?.shape.length ?? 0);
  if (!kind || !isWhole(dialect, own)) return undefined;
  const tensors = new Map(own);
  // What B's bias is scaled by stands beside its weights.
  const sibling = dialect.part === 'bias' && dialect.isScaled ? siblingOf(groups, target) : undefined;
  const down = tensors.get('down') ?? sibling?.tensors.get('down');
  if (dialect.part === 'bias' && dialect.isScaled && !down) return undefined;
  if (down) tensors.set('down', down);
  for (const [role, name] of shared ?? []) {
    const fits = role === 'reshape' ? kind === 'lora' : role === 'alpha' || dialect.part !== 'bias';
    if (dialect.isScaled && fits && !tensors.has(role)) tensors.set(role, name);
  }
  const hasConfig = config && dialect.id.startsWith('peft');
  const rank = header.get(down ?? '')?.shape[0] ?? 1;
  const isTransposed = dialect.isTransposed || (hasConfig && config.isTransposed && dialect.part !== 'bias');
  return {
    target,
    part: dialect.part ?? 'weight',
    kind,
    dialect: dialect.id,
    tensors: Object.fromEntries(tensors),
    ...(hasConfig && { alpha: alphaOfTarget(config, target, rank) }),
    ...(isTransposed && { isTransposed }),
    ...(tensors.has('magnitude') && {
      dora: { axis: own.has('magnitude') ? (dialect.magnitudes ?? 'by shape') : 'by shape' },
    }),
  };
}

/** Whether the tensors are one of the sets that the dialect needs, and beside them only what may be left out. */
function isWhole({ needs, suffixes }: Dialect, tensors: ReadonlyMap<Role, string>): boolean {
  const needed = new Set(needs.flat());
  const present = [...tensors.keys()].filter((role) => needed.has(role));
  const knows = new Set(Object.values(suffixes));
  return (
    [...tensors.keys()].every((role) => knows.has(role)) &&
    needs.some((roles) => roles.length === present.length && roles.every((role) => tensors.has(role)))
  );
}

/** The LoRA of PEFT to which a bias belongs. */
function siblingOf(groups: ReadonlyMap<string, Group>, target: string): Group | undefined {
  for (const id of ['peft', 'peft-default']) {
    const group = groups.get(`${id}\n${target}`);
    if (group) return group;
  }
  return undefined;
}

/** A whole weight among those that PEFT was told to save. */
function readSaved(name: string, config: PeftConfig): AdapterModule | undefined {
  const [, target, part] = /^(.+)\.(weight|bias)$/s.exec(name) ?? [];
  if (target === undefined || !isSavedModule(config, target)) return undefined;
  return {
    target,
    part: part === 'bias' ? 'bias' : 'weight',
    kind: 'set',
    dialect: 'peft-saved',
    tensors: { full: name },
  };
}

function groupOf(groups: Map<string, Group>, target: string, dialect: Dialect): Group {
  const key = `${dialect.id}\n${target}`;
  const group = groups.get(key) ?? { target, dialect, tensors: new Map() };
  groups.set(key, group);
  return group;
}

/** The map at a key, made on demand. */
function at<Key>(maps: Map<string, Map<Key, string>>, key: string): Map<Key, string> {
  const map = maps.get(key) ?? new Map<Key, string>();
  maps.set(key, map);
  return map;
}
