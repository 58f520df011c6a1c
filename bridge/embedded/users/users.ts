import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Request } from 'express';
import { isLineageError, LineageError } from '../../../nodes/kit/errors.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { readFileChecked } from '../../local/read-file.ts';
import { writeFileAtomic } from '../../local/write-file.ts';
import { createTurns } from '../files/take-turns.ts';

/** ComfyUI's prefix of users that are no people; HTTP never reaches their folders. */
const SYSTEM_PREFIX = '__';
const DEFAULT_USER = 'default';
/** `users.json` of so many is read in milliseconds; anybody may add one. */
const USERS_MAX = 1_000;
const NAME_LENGTH_MAX = 100;
const FILE_BYTES_MAX = 1024 * 1024;

/** Why a user could not be added, in the words that ComfyUI's clients show. */
type UserRefusal = { readonly error: string };

/** The people that keep settings and workflows here. Without `multiUser` there is one, `default`. */
export type Users = {
  readonly multiUser: boolean;
  /** Names by id; ids are made by us. */
  all(): Promise<ReadonlyMap<string, string>>;
  add(name: string): Promise<string | UserRefusal>;
  /**
   * The folder of whoever sends a request (`comfy-user`), which may not be there yet.
   * @returns undefined for a user that does not exist or is a system's.
   */
  folderOf(request: Request): Promise<string | undefined>;
};

/**
 * @param folder holds `users.json` and a folder for each user, as ComfyUI's does; made when something is kept.
 * @see ComfyUI 618b803d app/user_manager.py
 */
export function createUsers(folder: string, multiUser: boolean): Users {
  const file = join(folder, 'users.json');
  const inTurn = createTurns(1);
  const all = async (): Promise<Map<string, string>> =>
    multiUser ? await readUsers(file) : new Map([[DEFAULT_USER, DEFAULT_USER]]);

  return {
    multiUser,
    all,

    add: (given) =>
      inTurn(async () => {
        const users = multiUser
          ? await readUsers(file)
          : new Map([...(await all()), ...(await readUsers(file))]);
        const name = given.trim();
        if ([...users.values()].includes(given)) return { error: 'Duplicate username.' };
        if (name === '') return { error: 'username not provided' };
        if (name.startsWith(SYSTEM_PREFIX)) return { error: 'System User prefix not allowed' };
        if (name.length > NAME_LENGTH_MAX) return { error: 'username too long' };
        if (users.size >= USERS_MAX) return { error: 'too many users' };
        const plain = name.replace(/[^a-zA-Z0-9-_]+/g, '-');
        if (plain.startsWith(SYSTEM_PREFIX)) return { error: 'System User prefix not allowed' };
        const id = `${plain}_${randomUUID()}`;
        users.set(id, name);
        await mkdir(folder, { recursive: true });
        const text = JSON.stringify(Object.fromEntries(users));
        await writeFileAtomic(file, Buffer.from(text), { replace: true });
        return id;
      }),

    async folderOf(request) {
      const header = multiUser ? request.headers['comfy-user'] : undefined;
      const id = typeof header === 'string' ? header : DEFAULT_USER;
      if (id.startsWith(SYSTEM_PREFIX) || !(await all()).has(id)) return undefined;
      // Ids in the file may be older than this rule, or typed by hand.
      return /^[a-zA-Z0-9_-]+$/.test(id) ? join(folder, id) : undefined;
    },
  };
}

async function readUsers(file: string): Promise<Map<string, string>> {
  let text: string;
  try {
    text = Buffer.from(await readFileChecked(file, FILE_BYTES_MAX)).toString('utf8');
  } catch (error) {
    if (isLineageError(error, 'file/missing')) return new Map();
    throw error;
  }
  const users: unknown = parse(text, file);
  if (!isRecord(users)) throw unreadable(file);
  return new Map(
    Object.entries(users).flatMap(([id, name]) => (typeof name === 'string' ? [[id, name]] : [])),
  );
}

/** A damaged list is not taken for an empty one: adding a user would lose all others. */
function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(file: string, cause?: unknown): LineageError {
  return new LineageError('file/unreadable', 'expected JSON with the names of users', { file }, { cause });
}
