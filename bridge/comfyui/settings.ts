import { z } from 'zod';
import { MODEL_FOLDERS } from '../../nodes/kit/values.ts';

/**
 * What Python knows of this ComfyUI: its folders as `--base-directory`, `--output-directory` and
 * `extra_model_paths.yaml` leave them, and the flags that concern us. Sent at the handshake and when it changes.
 */
export const settingsSchema = z.strictObject({
  output: z.string().min(1),
  input: z.string().min(1),
  temp: z.string().min(1),
  /** Where our ledger of hashes lies: `LINEAGE_HOME`, else a folder of ComfyUI's user folder that no route serves. */
  home: z.string().min(1),
  /** `--disable-metadata` */
  disableMetadata: z.boolean(),
  /** All folders of each kind, in ComfyUI's order; some may not exist. */
  models: z.partialRecord(z.enum(MODEL_FOLDERS), z.array(z.string().min(1))),
});

export type Settings = z.infer<typeof settingsSchema>;
