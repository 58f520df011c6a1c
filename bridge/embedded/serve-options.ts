import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { CacheChoice } from './execution/caches/create-cache.ts';
import type { RuntimeFolders } from './folders.ts';
import type { ErrorStyle } from './validation/read-class.ts';

/** What a server is started with; everything but the base has a default. */
export type ServeOptions = {
  /** The folder that holds `input`, `output`, `temp` and `user`, each where it is not given. */
  readonly base: string;
  readonly input?: string;
  readonly output?: string;
  /** Holds a folder `temp`, which is emptied at the start and the end. */
  readonly temp?: string;
  readonly user?: string;
  /** Folders with the layout of ComfyUI's `models`, in order of precedence. */
  readonly models?: readonly string[];
  /** Folders of further nodes; their code runs with the rights of the server. */
  readonly nodes?: readonly string[];
  /** The `static` folder of a built front end. */
  readonly frontEndRoot?: string;
  /** 0: any free one. */
  readonly port?: number;
  /** Addresses and names of this machine. */
  readonly listen?: readonly string[];
  /** Names that the server is reached by, beside those of this machine. */
  readonly allowedHosts?: readonly string[];
  readonly token?: string;
  readonly cache?: CacheChoice;
  readonly maxUploadBytes?: number;
  /** Pictures carry no metadata. */
  readonly disableMetadata?: boolean;
  /** How an unknown class is reported. */
  readonly errorStyle?: ErrorStyle;
  /** Refuses prompt ids that are no UUID. */
  readonly checkIds?: boolean;
  /** The file of the queue and the history, or `:memory:`; by default in the user folder. */
  readonly store?: string;
  /** The file of the ledger of hashes; without one, hashes are kept for this run only. */
  readonly ledger?: string;
  /** Files and folders of rules, before those of `rulesFolder`. */
  readonly rules?: readonly string[];
  /** Rules of the owner, which nodes may write into; by default in the user folder. */
  readonly rulesFolder?: string;
  readonly verbose?: boolean;
  /** Gets the lines of the log. */
  readonly write?: (line: string) => void;
  /** What nobody catches fails the running job instead of ending this process; for a process that does only this. */
  readonly guardProcess?: boolean;
};

/** The options with their defaults, as the server works with them. */
export type ResolvedOptions = Required<
  Pick<
    ServeOptions,
    | 'nodes'
    | 'port'
    | 'listen'
    | 'cache'
    | 'maxUploadBytes'
    | 'disableMetadata'
    | 'errorStyle'
    | 'checkIds'
    | 'store'
    | 'rules'
    | 'rulesFolder'
    | 'verbose'
    | 'write'
    | 'guardProcess'
  >
> &
  Pick<ServeOptions, 'frontEndRoot' | 'token' | 'ledger'> & {
    readonly folders: RuntimeFolders;
    readonly allowedHosts: readonly string[];
  };

/** ComfyUI's own (618b803d comfy/cli_args.py). */
const PORT = 8188;
const MAX_UPLOAD_BYTES = 100 * 1024 * 1024;
/** Shorter ones can be guessed. */
const MIN_TOKEN_CHARACTERS = 16;
/** ComfyUI keeps its API away from folders that start so; so does ours (618b803d app/user_manager.py). */
const SYSTEM_USER = '__lineage';

/**
 * Completes the options and makes paths absolute.
 * @throws LineageError `serve/exposed` for an address beyond this machine without a token, `option/invalid`
 */
export function resolveServeOptions(options: ServeOptions): ResolvedOptions {
  const base = resolve(options.base);
  const user = resolve(options.user ?? join(base, 'user'));
  const listen = options.listen ?? ['127.0.0.1'];
  const { token, frontEndRoot, ledger } = options;
  checkToken(token, listen);
  return {
    folders: {
      input: resolve(options.input ?? join(base, 'input')),
      output: resolve(options.output ?? join(base, 'output')),
      temp: resolve(options.temp ?? base, 'temp'),
      user,
      models: (options.models ?? []).map((folder) => resolve(folder)),
    },
    nodes: (options.nodes ?? []).map((folder) => resolve(folder)),
    port: options.port ?? PORT,
    listen,
    allowedHosts: [
      ...(options.allowedHosts ?? []).map(checkAllowedHost),
      ...listen.filter(isOneAddress).map(bracketed),
    ],
    cache: options.cache ?? { kind: 'classic' },
    maxUploadBytes: options.maxUploadBytes ?? MAX_UPLOAD_BYTES,
    disableMetadata: options.disableMetadata ?? false,
    errorStyle: options.errorStyle ?? 'newest',
    checkIds: options.checkIds ?? false,
    store: options.store ?? join(user, SYSTEM_USER, 'runtime.sqlite'),
    rules: (options.rules ?? []).map((path) => resolve(path)),
    rulesFolder: resolve(options.rulesFolder ?? join(user, SYSTEM_USER, 'rules')),
    verbose: options.verbose ?? false,
    write: options.write ?? (() => undefined),
    guardProcess: options.guardProcess ?? false,
    ...(frontEndRoot !== undefined && { frontEndRoot: resolve(frontEndRoot) }),
    ...(token !== undefined && { token }),
    ...(ledger !== undefined && { ledger }),
  };
}

function checkToken(token: string | undefined, listen: readonly string[]): void {
  if (token !== undefined && (token.length < MIN_TOKEN_CHARACTERS || !/^[\x21-\x7e]+$/.test(token))) {
    throw new LineageError(
      'option/invalid',
      `expected a token of at least ${MIN_TOKEN_CHARACTERS} ASCII characters without spaces, got ${token.length} characters`,
    );
  }
  const exposed = listen.find((address) => !isLoopback(address));
  if (exposed !== undefined && token === undefined) {
    throw new LineageError(
      'serve/exposed',
      `expected a token, since ${exposed} is reached from other machines, got none`,
      { option: '--listen' },
    );
  }
}

/** One with a scheme or a port would match no request, and nobody would know why. */
function checkAllowedHost(given: string): string {
  const host = bracketed(given.trim());
  if (/^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/i.test(host)) return host;
  throw new LineageError(
    'option/invalid',
    `expected a name or an address without scheme and port, got ${JSON.stringify(given)}`,
    { option: '--allow-host' },
  );
}

/** Whether only this machine reaches an address. A name other than localhost may mean anything. */
export function isLoopback(address: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i.test(address);
}

/** A client names the address it talks to; the ones for "all addresses" name none. */
function isOneAddress(address: string): boolean {
  return address !== '0.0.0.0' && address !== '::';
}

function bracketed(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}
