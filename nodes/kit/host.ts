import type { OwnerSettings } from './owner-settings.ts';
import type { PipelineRunner } from './pipeline-runner.ts';
import type { RuleFiles } from './rule-files.ts';
import type { FileHashes, ModelFolder, Pixels } from './values.ts';

/** What became of a model name. A missing file is a fact, not an exception; nor is a host without model folders. */
export type ModelLookup =
  | { readonly found: true; readonly folder: ModelFolder; readonly file: string; readonly bytes: number }
  | { readonly found: false; readonly reason: 'missing' | 'outside' | 'unconfigured' };

/** A model version on Civitai. */
export type CivitaiVersion = {
  readonly modelVersionId: number;
  readonly modelName?: string;
  readonly versionName?: string;
};

/** What a file beside a model says that it is. */
export type PublishedModel = {
  readonly version: CivitaiVersion;
  /** Of the files of that version, lower-case hex; empty where it lists none. The model should be one of them. */
  readonly sha256s: readonly string[];
};

/** The machine's model files, as its owner configured them. */
export type ModelStore = {
  /**
   * Looks a name up as ComfyUI spells it (`sub/name.safetensors`, with or without extension, either slash)
   * in the folders given, in order. Never answers with a file outside the configured folders.
   */
  find(name: string, folders: readonly ModelFolder[]): Promise<ModelLookup>;
  /**
   * Hashes of a file that `find` gave, from the ledger where it is unchanged, else read once off the main thread.
   * @throws LineageError `file/unreadable`
   */
  hash(file: string, signal?: AbortSignal): Promise<FileHashes>;
  /**
   * What Civitai calls a file that `find` gave, by a sidecar beside it; nobody is asked over a network. Absent where the
   * host has no files.
   * @throws LineageError `file/unreadable` for a damaged sidecar
   */
  published?(file: string): Promise<PublishedModel | undefined>;
};

/** Everything a node may ask of whoever runs it. */
export type Host = {
  /** The prompt graph being executed, exactly as queued; untrusted. */
  readonly prompt: unknown;
  /** The workflow and whatever else the client sent along (`extra_pnginfo`); untrusted. */
  readonly extraPnginfo: Readonly<Record<string, unknown>>;
  /** This node's id within the prompt graph. */
  readonly nodeId: string;
  readonly signal: AbortSignal;
  /** The machine's owner wants no metadata in pictures (`--disable-metadata`). */
  readonly disableMetadata?: boolean;
  /** What the owner decided for every picture. */
  readonly owner?: OwnerSettings;
  readonly models: ModelStore;
  /** Absent where the host cannot merge. */
  readonly pipelines?: PipelineRunner;
  /** The owner's own rules. Absent where the host keeps none. */
  readonly rules?: RuleFiles;
  /** Every class that the host can run, as `GET /object_info` declares them; of nodes that ask for it. */
  classes?(): unknown;
  /** The moment the run started, local time of the host. */
  readonly now: Date;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void;
  /** Values that this run produced, where the host has them: an overlay on the static trace. */
  executed?(nodeId: string, slot: number): unknown;
  /** Shows how far the node is, in steps of its own, and a preview of what it makes; shown at most ten times a second. */
  progress?(value: number, total: number, preview?: Pixels): void;
  /**
   * The bytes of a picture in the host's input folder, or undefined. The name is a client's text and may end in
   * ` [input]`, ` [output]` or ` [temp]`; it never leads out of these folders.
   */
  readInput?(name: string): Promise<Uint8Array | undefined>;
  /**
   * Writes one file under the host's output folder (or its folder for previews), atomically and without ever replacing another.
   * @param prefix may hold folders; `counter: true` appends `_00001_`, taken by exclusive create.
   * @returns the path relative to the output folder, with `/`.
   * @throws LineageError `output/outside`, `output/exhausted`, `file/unwritable`, and `output/exists` without a counter
   */
  writeOutput(request: {
    readonly folder?: 'output' | 'temp';
    readonly prefix: string;
    readonly extension: string;
    readonly counter: boolean;
    readonly bytes: Uint8Array;
    /** Files written beside it under the same stem, e.g. `.lineage.json`. */
    readonly companions?: ReadonlyMap<string, Uint8Array>;
  }): Promise<string>;
};
