import { hash } from 'node:crypto';
import { type ApiNode, isApiLink } from '../../../nodes/kit/api-prompt.ts';
import { VOLATILE } from './caches/cache.ts';
import { canonicalText } from './canonical-value.ts';
import type { RunningPrompt } from './dynamic-prompt.ts';
import type { NodeShape } from './node-shape.ts';

/** Keys of results: equal for nodes that must give the same. */
export type Signatures = {
  /**
   * The key of a node; every node above it must have its fingerprint. Holds its class, fingerprint, literals by value,
   * its links as (key of the source, slot), and its id where the class wants it. So equal graphs under different ids
   * share results, and a change shows in everything below. Starts with `VOLATILE` where something in it equals
   * nothing, not even itself in the next job.
   */
  keyOf(id: string): string;
  /** Forgets keys of nodes that were replaced. */
  forget(ids: Iterable<string>): void;
};

/** A node on the way down to its sources. */
type Visit = { readonly id: string; readonly sources: readonly string[]; next: number };

let nonces = 0;

/**
 * ComfyUI's key lists all ancestors of each node (618b803d comfy_execution/caching.py), which is quadratic in a chain.
 * Here a key is a digest over the digests of the sources: linear, and equal wherever ComfyUI's is; two equal sources
 * that ComfyUI tells apart only by how often they occur are one source here.
 *
 * @param fingerprintOf the canonical fingerprint of a node; undefined where it equals nothing.
 */
export function createSignatures(
  prompt: RunningPrompt,
  shapeOf: (classType: string) => NodeShape,
  fingerprintOf: (id: string) => string | undefined,
): Signatures {
  const keys = new Map<string, string>();

  function begin(id: string): Visit {
    const node = prompt.node(id);
    return { id, sources: node ? sourcesOf(node) : [], next: 0 };
  }

  /** All of its sources have keys, but for those that are on a cycle with it. */
  function sign(id: string): string {
    const node = prompt.node(id);
    if (!node) return unique();
    let volatile = false;
    const parts = [JSON.stringify(node.class_type)];
    const put = (name: string, text: string | undefined): void => {
      volatile ||= text === undefined;
      parts.push(`${name}=${text ?? unique()}`);
    };
    put('fingerprint', fingerprintOf(id));
    if (shapeOf(node.class_type).individual) put('id', JSON.stringify(id));
    for (const name of Object.keys(node.inputs).sort()) {
      const value = node.inputs[name];
      if (!isApiLink(value)) {
        put(JSON.stringify(name), canonicalText(value));
        continue;
      }
      const source = keys.get(value[0]);
      volatile ||= source === undefined || source.startsWith(VOLATILE);
      parts.push(`${JSON.stringify(name)}=@${source ?? unique()}:${value[1]}`);
    }
    const digest = hash('sha256', parts.join('\n'), 'base64url');
    return volatile ? VOLATILE + digest : digest;
  }

  return {
    keyOf(id) {
      const known = keys.get(id);
      if (known !== undefined) return known;
      const path = [begin(id)];
      const open = new Set([id]);
      for (let visit = path.at(-1); visit; visit = path.at(-1)) {
        const source = visit.sources[visit.next++];
        if (source === undefined) {
          keys.set(visit.id, sign(visit.id));
          open.delete(visit.id);
          path.pop();
        } else if (!keys.has(source) && !open.has(source)) {
          path.push(begin(source));
          open.add(source);
        }
      }
      return keys.get(id) ?? unique();
    },
    forget(ids) {
      for (const id of ids) keys.delete(id);
    },
  };
}

function sourcesOf(node: ApiNode): string[] {
  return Object.values(node.inputs)
    .filter(isApiLink)
    .map(([from]) => from);
}

/** A text that no other key holds, in this process. */
function unique(): string {
  return `${VOLATILE}${nonces++}`;
}
