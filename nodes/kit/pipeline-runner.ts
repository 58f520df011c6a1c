/** What a node asks of a host that can run merge pipelines over the machine's model files. */
export type PipelineRequest = {
  /**
   * A manifest as text (JSON or YAML), or parsed. Untrusted: where it says a path, a name is meant that is looked up in
   * the machine's model folders; paths of outputs are not taken.
   */
  readonly manifest: unknown;
  /** Id of the step whose model comes out; by default the last that makes one. */
  readonly result?: string;
  /** A name, without folders, for the file; by default the one that the manifest gives. */
  readonly outputName?: string;
  /** Of all floats of the result, as manifests spell it; by default as the manifest says. */
  readonly precision?: string;
  readonly signal: AbortSignal;
  /** Bytes done, of how many. */
  readonly progress?: (value: number, total: number) => void;
};

/** One step of a pipeline that ran. */
export type RanStep = {
  readonly id: string;
  readonly type: string;
  /** `made`, `taken` (as it was made before), or `skipped` by a condition. */
  readonly state: 'made' | 'taken' | 'skipped';
  readonly seconds: number;
  /** Of the file it wrote. */
  readonly bytes?: number;
  /** What a check or an analysis found. */
  readonly scores?: Readonly<Record<string, number | string | boolean>>;
};

/** What a run says of itself: plain data. */
type PipelineReport = {
  /** As loaders of checkpoints list the file. */
  readonly name: string;
  /** SHA-256 of the file, 64 digits. */
  readonly sha256: string;
  readonly bytes: number;
  readonly seconds: number;
  readonly steps: readonly RanStep[];
  /** One line each. */
  readonly warnings: readonly string[];
};

/** The checkpoint that a pipeline made, or had made before. */
export type PipelineResult = {
  /** As loaders of checkpoints list it. */
  readonly name: string;
  /** Its absolute path; for the host alone. */
  readonly file: string;
  readonly report: PipelineReport;
};

/** Runs merge pipelines; what they make lies with the host's other outputs, in the folder `checkpoints`. */
export type PipelineRunner = {
  /**
   * Runs a manifest. A file that the same steps made before, under this name, is taken; any other is left alone, and a
   * number put behind the name.
   *
   * @throws LineageError of what is wrong with the manifest, its models or the disk; the reason of the signal
   */
  run(request: PipelineRequest): Promise<PipelineResult>;
};
