import type { AdapterModule, TensorInfo } from '../adapter-module.ts';

const MARKS = ['img_in.lora_A.weight', 'single_blocks.0.norm.key_norm.scale'] as const;
const SCALE = '_norm.scale';

/** What sets these files apart from others that use PEFT's names. */
export type FluxControl = {
  /** Of the whole weights. */
  readonly modules: AdapterModule[];
  /** Target to the shape that its weight must have first. */
  readonly reshapes: ReadonlyMap<string, readonly number[]>;
  /** Names that are left to the dialects. */
  readonly rest: readonly string[];
};

/**
 * Black Forest Labs' control LoRAs for Flux: PEFT's names without a prefix, beside whole `…_norm.scale` weights. They
 * widen the input layer: it is to be filled up with zeros to the shape of its factors' product.
 */
export function readFluxControl(header: ReadonlyMap<string, TensorInfo>): FluxControl {
  const names = [...header.keys()];
  if (!MARKS.every((mark) => header.has(mark))) return { modules: [], reshapes: new Map(), rest: names };
  const scales = names.filter((name) => name.endsWith(SCALE));
  const rows = header.get('img_in.lora_B.weight')?.shape[0];
  const columns = header.get('img_in.lora_A.weight')?.shape[1];
  return {
    modules: scales.map((name) => ({
      target: name,
      part: 'weight',
      kind: 'set',
      dialect: 'flux-control',
      tensors: { full: name },
    })),
    reshapes: new Map(rows !== undefined && columns !== undefined ? [['img_in', [rows, columns]]] : []),
    rest: names.filter((name) => !name.endsWith(SCALE)),
  };
}
