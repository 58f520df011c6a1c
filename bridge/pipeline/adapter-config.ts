import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isLineageError, LineageError, mismatchOf } from '../../nodes/kit/errors.ts';
import { hasPeftNames, type PeftConfig, readPeftConfig } from '../../nodes/lora/dialects/peft-config.ts';
import { readFileChecked } from '../local/read-file.ts';

const CONFIG_FILE = 'adapter_config.json';
/** The name that PEFT gives to the file that the configuration is for. */
const ADAPTER_FILE = 'adapter_model.safetensors';
/** Patterns for every module of a large model take some hundred KiB. */
const MAX_BYTES = 4 << 20;

/**
 * The configuration beside an adapter of PEFT. It is for the file that has PEFT's own name, or that is the only one in
 * the folder: among several nothing says which one is meant.
 *
 * @param file absolute path.
 * @param names of its tensors.
 * @returns undefined where there is none for it
 * @throws LineageError `lora/config`
 */
export async function readConfigBeside(
  file: string,
  names: Iterable<string>,
): Promise<PeftConfig | undefined> {
  if (!hasPeftNames(names)) return undefined;
  const text = await readText(join(dirname(file), CONFIG_FILE));
  if (text === undefined || !(await isItsOwn(file))) return undefined;
  return readPeftConfig(parse(text));
}

async function readText(config: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await readFileChecked(config, MAX_BYTES));
  } catch (error) {
    if (!isLineageError(error)) throw error;
    if (error.code === 'file/missing') return undefined;
    const { expected, got } = mismatchOf(error);
    const message = `expected a readable ${CONFIG_FILE}, ${expected}, got ${got}`;
    throw new LineageError('lora/config', message, error.where, { cause: error });
  }
}

async function isItsOwn(file: string): Promise<boolean> {
  if (basename(file) === ADAPTER_FILE) return true;
  const names = await readdir(dirname(file));
  return names.filter((name) => /\.safetensors$/i.test(name)).length === 1;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = `expected JSON in ${CONFIG_FILE}, got ${JSON.stringify(text.slice(0, 40))}`;
    throw new LineageError('lora/config', message, {}, { cause: error });
  }
}
