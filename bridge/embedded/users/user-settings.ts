import { join } from 'node:path';
import { isLineageError, LineageError } from '../../../nodes/kit/errors.ts';
import { type Json, parseExactJson } from '../../../nodes/kit/exact-json.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { readFileChecked } from '../../local/read-file.ts';
import { resolveForWriting, resolveInside } from '../../local/resolve-inside.ts';
import { writeFileAtomic } from '../../local/write-file.ts';
import { createTurns } from '../files/take-turns.ts';
import { checkShape } from '../http/json-body.ts';
import { JSON_BYTES_MAX } from '../security/server-limits.ts';

const FILE = 'comfy.settings.json';

type Settings = Readonly<Record<string, Json>>;

/** Settings of a user, by keys that are a client's text. */
export type UserSettings = {
  /** @param folder the user's. A damaged file gives none, and is logged. */
  read(folder: string): Promise<Settings>;
  /**
   * Adds and replaces; one change after the other, since a front end sends many at once. A damaged file is kept beside
   * the new one before it is replaced.
   * @throws LineageError `request/too-large` where all settings together grow beyond JSON_BYTES_MAX; `file/unwritable`
   */
  merge(folder: string, changes: Settings): Promise<void>;
};

/**
 * Settings as ComfyUI keeps them, in `comfy.settings.json` of the user's folder; numbers keep their spelling.
 * @see ComfyUI 618b803d app/app_settings.py
 */
export function createUserSettings(log: (level: 'warn', message: string) => void): UserSettings {
  const inTurn = createTurns(1);

  async function load(folder: string): Promise<{ settings: Settings; damaged?: Uint8Array }> {
    let bytes: Uint8Array;
    try {
      bytes = await readFileChecked(await resolveInside(folder, FILE), JSON_BYTES_MAX);
    } catch (error) {
      if (isLineageError(error, 'file/missing')) return { settings: {} };
      throw error;
    }
    try {
      const warn = (_code: string, message: string): void => log('warn', `${FILE}: ${message}`);
      const settings = parseExactJson(Buffer.from(bytes).toString('utf8'), warn);
      checkShape(settings);
      if (isSettings(settings)) return { settings };
    } catch (error) {
      if (!isLineageError(error)) throw error;
      log('warn', `${FILE} is damaged: ${error.message}`);
    }
    return { settings: {}, damaged: bytes };
  }

  return {
    read: async (folder) => (await load(folder)).settings,

    merge: (folder, changes) =>
      inTurn(async () => {
        const { settings, damaged } = await load(folder);
        const text = JSON.stringify({ ...settings, ...changes }, null, 4);
        if (Buffer.byteLength(text) > JSON_BYTES_MAX)
          throw new LineageError('request/too-large', `expected settings of at most ${JSON_BYTES_MAX} bytes`);
        const { folder: real } = await resolveForWriting(folder, FILE);
        if (damaged) await keepAside(real, damaged);
        await writeFileAtomic(join(real, FILE), Buffer.from(text), { replace: true });
      }),
  };

  /** Somebody may want to repair it; the first free name keeps it. */
  async function keepAside(folder: string, damaged: Uint8Array): Promise<void> {
    for (let n = 1; ; n++) {
      const name = `comfy.settings.damaged-${n}.json`;
      try {
        await writeFileAtomic(join(folder, name), damaged, { replace: false });
        return log('warn', `the damaged ${FILE} was kept as ${name}`);
      } catch (error) {
        if (!isLineageError(error, 'output/exists')) throw error;
      }
    }
  }
}

/** Whether JSON is an object, which its keys make settings. */
export function isSettings(value: Json): value is Settings {
  return isRecord(value);
}
