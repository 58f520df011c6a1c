import { basename, extname } from 'node:path';
import { Command, Option } from 'commander';
import { LineageError } from '../../nodes/kit/errors.ts';
import { findMethod } from '../../nodes/merge/find-method.ts';
import { mergeMethods } from '../../nodes/merge/methods/index.gen.ts';
import { PRECISIONS } from '../../nodes/pipeline/manifest-words.ts';
import type { CommandContext } from './command-context.ts';
import { addMachineOptions } from './merge-machine.ts';
import { describeMethods } from './method-list.ts';
import { addManifestOptions, type ManifestOptions, modeOf, runManifestFile } from './pipeline.ts';
import { runManifest } from './run-manifest.ts';
import { collect } from './trace-options.ts';

type MergeOptions = ManifestOptions & {
  readonly manifest?: string;
  readonly method?: string;
  readonly model: readonly string[];
  readonly base?: string;
  readonly vae?: string;
  readonly param: readonly string[];
  readonly dtype?: (typeof PRECISIONS)[number];
  readonly missing?: string;
  readonly notFinite?: string;
  readonly prune?: boolean;
  readonly out?: string;
  readonly listMethods?: boolean;
};

/** `lineage merge`: one merge, of a manifest or of plain arguments. */
export function mergeCommand(context: CommandContext): Command {
  const command = new Command('merge')
    .description('merge models into one file')
    .option('--manifest <file>', 'a manifest, in JSON or YAML, instead of the options below')
    .option('--method <name>', 'how to merge (default: the sum of the models times their weights)')
    .option('--model <path[=weight]>', 'a model; give it for each one', collect, [])
    .option('--base <path>', 'what the models grew from, for methods that take differences')
    .option('--vae <path>', 'a VAE, or a model whose VAE to take')
    .option('--param <key=value>', 'a parameter of the method; may be repeated', collect, [])
    .addOption(
      new Option('--dtype <precision>', 'of the output (default: that of the first model)').choices(
        PRECISIONS,
      ),
    )
    .addOption(
      new Option('--missing <what>', 'what to do where a model lacks a tensor (default: refuse)').choices([
        'error',
        'base',
        'skip',
        'renormalise',
      ]),
    )
    .addOption(
      new Option(
        '--not-finite <what>',
        'what to do with NaN and infinities (default: keep, and count)',
      ).choices(['error', 'keep', 'zero']),
    )
    .option('--prune', 'leave EMA copies, optimizer state and leftovers of training out')
    .option('--out <file>', 'where to write')
    .option('--list-methods', 'list the methods and their parameters');
  return addMachineOptions(addManifestOptions(command)).action((options: MergeOptions) =>
    merge(options, context),
  );
}

async function merge(options: MergeOptions, context: CommandContext): Promise<void> {
  if (options.listMethods) {
    const list = options.method === undefined ? mergeMethods : [findMethod(options.method)];
    return context.terminal.print(describeMethods(list, options.json === true));
  }
  const { manifest: file, out } = options;
  if (file !== undefined) {
    const plain = PLAIN.find((name) => isGiven(options[name]));
    if (plain !== undefined)
      throw new LineageError('option/conflict', `expected --manifest or ${spell(plain)}, got both`, {
        option: spell(plain),
      });
    return await runManifestFile(file, options, context);
  }
  if (options.model.length === 0) throw missing('--model', 'a model, or --manifest with a file');
  if (out === undefined) throw missing('--out', 'a file to write to');
  const run = {
    ...options,
    manifest: manifestOf(options, out),
    folder: process.cwd(),
    name: basename(out, extname(out)),
    mode: modeOf(options),
    keepTemps: options.keepTemps === true,
    dryRun: options.dryRun === true,
  };
  await runManifest(run, context);
}

const PLAIN = [
  'method',
  'model',
  'base',
  'vae',
  'param',
  'dtype',
  'missing',
  'notFinite',
  'prune',
  'out',
] as const;

/** `notFinite` as it is typed. */
function spell(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}

function manifestOf(options: MergeOptions, out: string): unknown {
  const { method, model, base, vae, param, dtype, missing: lacking, notFinite, prune } = options;
  const params = param.map(readParam);
  return {
    models: model.map(readModel),
    ...(method !== undefined && { method }),
    ...(base !== undefined && { base: { path: base } }),
    ...(vae !== undefined && { vae: { path: vae } }),
    ...(lacking !== undefined && { missing: lacking }),
    ...(notFinite !== undefined && { not_finite: notFinite }),
    ...(prune === true && { prune: true }),
    ...(params.length > 0 && { params: Object.fromEntries(params) }),
    output: dtype === undefined ? out : { path: out, precision: dtype },
  };
}

/** `a.safetensors=0.6`; a path may hold an equals sign of its own, unless a number follows it. */
function readModel(text: string): { readonly path: string; readonly weight?: number } {
  const [, path, weight] = /^(.+)=([^=]*)$/s.exec(text) ?? [];
  if (path === undefined || weight === undefined) return { path: text };
  if (weight.trim() === '' || !Number.isFinite(Number(weight))) {
    if (/^[^./\\]*$/.test(weight))
      throw new LineageError('option/invalid', `expected a number as weight, got ${JSON.stringify(weight)}`, {
        option: `--model ${text}`,
      });
    return { path: text };
  }
  return { path, weight: Number(weight) };
}

/** Numbers and `true` and `false` are what they say; all else is a text. */
function readParam(text: string): readonly [string, string | number | boolean] {
  const at = text.indexOf('=');
  if (at <= 0)
    throw new LineageError('option/invalid', `expected KEY=VALUE, got ${JSON.stringify(text)}`, {
      option: '--param',
    });
  const [key, value] = [text.slice(0, at), text.slice(at + 1)];
  if (value === 'true' || value === 'false') return [key, value === 'true'];
  return [key, value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value];
}

function missing(option: string, expected: string): LineageError {
  return new LineageError('option/invalid', `expected ${expected}, got none`, { option });
}
