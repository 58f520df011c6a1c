/** The parts that a checkpoint is loaded as, in the order of ComfyUI's loader. */
export const CHECKPOINT_PARTS = ['MODEL', 'CLIP', 'VAE'] as const;

/**
 * Stands for a part of a checkpoint file on a MODEL, CLIP or VAE socket. Inside ComfyUI its own loader puts the object
 * there; a host without torch hands the reference on.
 */
export class CheckpointPart {
  readonly part: (typeof CHECKPOINT_PARTS)[number];
  /** As loaders of checkpoints list it. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;

  constructor(part: (typeof CHECKPOINT_PARTS)[number], of: { readonly name: string; readonly file: string }) {
    this.part = part;
    this.name = of.name;
    this.file = of.file;
  }
}
