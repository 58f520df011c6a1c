import type { ViewTensor } from './view.ts';

/** How many positions CLIP's text model knows. */
const POSITIONS = 77;
const NAME = /(^|\.)text_model\.embeddings\.position_ids$/;

/** The numbers 0 to 76 as int64, little-endian. */
const BYTES = new Uint8Array(BigInt64Array.from({ length: POSITIONS }, (_, index) => BigInt(index)).buffer);

/** Whether this is the buffer of positions of a CLIP text model, which merges of old averaged and halved. */
export function isPositionIds(name: string, { shape }: Pick<ViewTensor, 'shape'>): boolean {
  return (
    NAME.test(name) &&
    shape.at(-1) === POSITIONS &&
    shape.every((side, axis) => axis > 0 || side === 1 || shape.length === 1)
  );
}

/**
 * The buffer as it must be.
 *
 * @see https://github.com/AUTOMATIC1111/stable-diffusion-webui/pull/6728
 */
export function rightPositionIds(): ViewTensor {
  const shape = [1, POSITIONS];
  return { dtype: 'I64', shape, value: { kind: 'constant', dtype: 'I64', shape, bytes: BYTES } };
}
