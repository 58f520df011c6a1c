import { HASH_LOG_MODES, type OwnerSettings } from '../../nodes/kit/owner-settings.ts';

/** What the variables of a process say, read once at the edge. */
type Environment = {
  /** For the save node. */
  readonly owner: OwnerSettings;
  /** Hashes are made anew, once a run, whatever the ledger holds. */
  readonly forceRehash: boolean;
};

type Variables = Readonly<Record<string, string | undefined>>;
type Row = {
  readonly about: string;
  /** Undefined for a value that is none of this variable's. */
  read(text: string): Partial<OwnerSettings & { readonly forceRehash: boolean }> | undefined;
};

const OFF = new Set(['', '0', 'false', 'no', 'off']);
const ON = new Set(['1', 'true', 'yes', 'on']);

/** Any spelling of yes; those of no leave things as they are. */
function flag<Name extends string>(name: Name): (text: string) => { [Key in Name]?: boolean } | undefined {
  return (text) => {
    const word = text.trim().toLowerCase();
    if (OFF.has(word)) return {};
    const set: { [Key in Name]?: boolean } = {};
    return ON.has(word) ? Object.assign(set, { [name]: true }) : undefined;
  };
}

/** A whole number, brought into its range: a limit that is too high is none, one that is too low the lowest. */
function limit(unitBytes: number): Row['read'] {
  return (text) => {
    if (!/^\s*\d{1,9}\s*$/.test(text)) return undefined;
    return { maxExifBytes: Math.min(0xffff, Math.max(4_096, Number(text) * unitBytes)) };
  };
}

/** Every variable that changes what is written; README lists the same. */
export const ENVIRONMENT: Readonly<Record<string, Row>> = {
  LINEAGE_NO_LORA_SUMMARY: {
    about: '`1`: the save node never writes the key `LoRAs`, whatever `include_lora_summary` says',
    read: flag('noLoraSummary'),
  },
  LINEAGE_NO_HASH_DETAIL: {
    about: '`1`: the record in a picture names each file by its short hash (AutoV2) alone',
    read: flag('noHashDetail'),
  },
  LINEAGE_HASH_LOG_MODE: {
    about: `${HASH_LOG_MODES.map((mode) => `\`${mode}\``).join(', ')}: what is logged of each model where \`model_hash_log\` is \`none\``,
    read(text) {
      const hashLog = HASH_LOG_MODES.find((mode) => mode === text.trim().toLowerCase());
      return hashLog && { hashLog };
    },
  },
  LINEAGE_DEBUG_PROMPTS: {
    about: '`1`: the save node logs the prompts of each sampler as it understood them',
    read: flag('debugPrompts'),
  },
  LINEAGE_JPEG_EXIF_HARD_MAX_KB: {
    about: 'KiB, 4 to 64: the most metadata of a JPEG, whatever `max_jpeg_exif_kb` says',
    read: limit(1024),
  },
  LINEAGE_JPEG_EXIF_SEGMENT_LIMIT: {
    about: 'bytes, 4096 to 65535: the same, to the byte; the lower of the two counts',
    read: limit(1),
  },
  LINEAGE_FORCE_REHASH: {
    about: '`1`: each model file is read and hashed anew, once a run, whatever the ledger holds',
    read: flag('forceRehash'),
  },
};

/**
 * Reads the variables. One that nobody can mean is ignored, and told: a spelling mistake must not cost a picture.
 *
 * @param variables those of the process
 */
export function readEnvironment(variables: Variables, warn: (message: string) => void): Environment {
  let owner: OwnerSettings = {};
  let forceRehash = false;
  for (const [name, { read }] of Object.entries(ENVIRONMENT)) {
    const text = variables[name];
    if (text === undefined) continue;
    const said = read(text);
    if (!said) warn(`${name}=${JSON.stringify(text)} means nothing and was ignored`);
    const { forceRehash: isForced, maxExifBytes, ...others } = said ?? {};
    forceRehash ||= isForced === true;
    const lowest = Math.min(owner.maxExifBytes ?? 0xffff, maxExifBytes ?? 0xffff);
    const isLimited = owner.maxExifBytes !== undefined || maxExifBytes !== undefined;
    owner = { ...owner, ...others, ...(isLimited && { maxExifBytes: lowest }) };
  }
  return { owner, forceRehash };
}
