import { isFloat } from '../../../nodes/formats/floats.ts';
import type { Tensor } from '../../../nodes/lora/tensor.ts';
import {
  joinEmbeddings,
  readEmbedding,
  sumEmbeddings,
  writeEmbedding,
} from '../../../nodes/lora/textual-inversion.ts';
import { createTensorReader, writeTensors } from '../side-files.ts';
import type { SideFile, SideModel, SideResult } from '../side-task.ts';

/** What to merge, and where to. */
export type EmbeddingMerge = {
  readonly embeddings: readonly { readonly model: SideModel; readonly weight: number }[];
  /** Sum vector by vector, or one after the other. */
  readonly mode: 'sum' | 'concat';
  readonly dtype: 'F32' | 'F16' | 'BF16';
  readonly out: SideFile;
};

/**
 * Merges textual inversions into one: of SD 1 and 2, or both encoders' vectors of SDXL. They are a few hundred
 * kilobytes, so this is done at once.
 *
 * @returns the file is written and flushed under the name that the task gives, not sealed.
 * @throws LineageError `lora/embedding`, `lora/embedding-mismatch`, `file/unreadable`, `file/unwritable`
 */
export function mergeEmbeddings({ embeddings, mode, dtype, out }: EmbeddingMerge): SideResult {
  const reader = createTensorReader();
  try {
    const parts = embeddings.map(({ model, weight }) => {
      // Beside the vectors there may be the number of the token that they were trained for.
      const tensors = [...model.tensors].map(([name, held]): [string, Tensor] => [
        name,
        { shape: held.shape, data: isFloat(held.dtype) ? reader.whole(held) : new Float32Array() },
      ]);
      return { embedding: readEmbedding(new Map(tensors)), weight };
    });
    const merged = mode === 'sum' ? sumEmbeddings(parts) : joinEmbeddings(parts);
    const named = new Map(writeEmbedding(merged, dtype).map((tensor) => [tensor.name, tensor]));
    const written = writeTensors(
      out,
      [...named.values()],
      (name) => named.get(name)?.data ?? new Float32Array(),
    );
    return { left: [], ...written };
  } finally {
    reader.close();
  }
}
