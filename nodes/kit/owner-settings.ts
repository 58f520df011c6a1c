/** How much of each model is logged: nothing; name and hash; the file's path; all hashes; what was not found too. */
export const HASH_LOG_MODES = ['none', 'filename', 'path', 'detailed', 'debug'] as const;
/** One of `HASH_LOG_MODES`. */
export type HashLogMode = (typeof HASH_LOG_MODES)[number];

/** What the owner of a machine decided for every picture saved on it, whatever a graph says. */
export type OwnerSettings = {
  /** No key with all LoRAs and strengths. */
  readonly noLoraSummary?: boolean;
  /** Records name files by the short hash alone. */
  readonly noHashDetail?: boolean;
  /** In place of a widget that says `none`. */
  readonly hashLog?: HashLogMode;
  /** Prompts are logged as they are understood. */
  readonly debugPrompts?: boolean;
  /** The most that a JPEG's EXIF segment may take, whatever a widget allows. */
  readonly maxExifBytes?: number;
};
