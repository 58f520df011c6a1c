import { LineageError } from '../../kit/errors.ts';
import { isRecord } from '../../kit/is-record.ts';

/** What of an `adapter_config.json` changes the numbers; plain JSON, as records keep it. */
export type PeftConfig = {
  readonly alpha: number;
  /** Names of modules, or ends of names, with their α: the first that fits counts. */
  readonly alphaPattern: readonly (readonly [name: string, alpha: number])[];
  /** rsLoRA: α over the root of the rank. @see https://arxiv.org/abs/2312.03732 */
  readonly isRankStabilised: boolean;
  readonly isTransposed: boolean;
  /** Modules whose whole weights stand in the file. */
  readonly savedModules: readonly string[];
};

/** PEFT's own prefix, which its patterns leave out. */
const PREFIX = 'base_model.model.';

/**
 * Reads a parsed `adapter_config.json`.
 * @throws LineageError `lora/config` for another type than LoRA, or values of a wrong type. Patterns are names: a
 *   regular expression among them is refused, as it comes from whoever made the file.
 * @see https://github.com/huggingface/peft src/peft/tuners/lora/config.py, utils/other.py (get_pattern_key)
 */
export function readPeftConfig(json: unknown): PeftConfig {
  if (!isRecord(json)) throw configError('an object', json);
  const { peft_type: type, lora_alpha: alpha = 8, alpha_pattern: pattern, use_rslora: stabilised } = json;
  if (type !== undefined && type !== 'LORA') throw configError('"peft_type": "LORA"', type);
  if (typeof alpha !== 'number') throw configError('a number for lora_alpha', alpha);
  if (pattern !== undefined && pattern !== null && !isRecord(pattern)) {
    throw configError('an object for alpha_pattern', pattern);
  }
  const alphaPattern: [string, number][] = [];
  for (const [key, value] of Object.entries(pattern ?? {})) {
    if (typeof value !== 'number') throw configError(`a number for alpha_pattern.${key}`, value);
    if (!/^\^?[\w.-]+\$?$/.test(key)) throw configError("names of modules as alpha_pattern's keys", key);
    alphaPattern.push([key.replace(/\$$/, ''), value]);
  }
  const saved = json['modules_to_save'] ?? [];
  const isList = Array.isArray(saved) && saved.every((name) => typeof name === 'string');
  if (!isList) throw configError('a list of names for modules_to_save', saved);
  return {
    alpha,
    alphaPattern,
    isRankStabilised: stabilised === true,
    isTransposed: json['fan_in_fan_out'] === true,
    savedModules: saved,
  };
}

/** Whether a file with these tensors is scaled by what a configuration beside it says. */
export function hasPeftNames(names: Iterable<string>): boolean {
  for (const name of names) if (/\.lora_(embedding_)?[AB](\.|$)/.test(name)) return true;
  return false;
}

/** α of a target, such that α over the rank is its scale. */
export function alphaOfTarget(config: PeftConfig, target: string, rank: number): number {
  const name = bareName(target);
  let alpha = config.alpha;
  for (const [key, value] of config.alphaPattern) {
    // The first key that fits counts.
    if (!fits(name, key)) continue;
    alpha = value;
    break;
  }
  return config.isRankStabilised ? alpha * Math.sqrt(rank) : alpha;
}

/** Whether the whole weight of this module is the trained one. */
export function isSavedModule(config: PeftConfig, target: string): boolean {
  return config.savedModules.some((saved) => fits(bareName(target), saved));
}

function bareName(target: string): string {
  return target.startsWith(PREFIX) ? target.slice(PREFIX.length) : target;
}

/** A name, or its last parts; `^` holds it to its start. */
function fits(name: string, key: string): boolean {
  return key.startsWith('^') ? name === key.slice(1) : name === key || name.endsWith(`.${key}`);
}

function configError(expected: string, got: unknown): LineageError {
  return new LineageError('lora/config', `expected ${expected}, got ${JSON.stringify(got)?.slice(0, 80)}`);
}
