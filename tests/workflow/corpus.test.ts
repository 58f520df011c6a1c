import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { coreDefinitions } from '../../bridge/cli/object-info.ts';
import { isApiLink } from '../../nodes/kit/api-prompt.ts';
import { ExactNumber, parseExactJson } from '../../nodes/kit/exact-json.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { type ConvertedPrompt, convertWorkflow } from '../../nodes/workflow/convert-workflow.ts';

/** Pairs of workflow and prompt that ComfyUI's front end wrote in one go; not part of this repository. */
const root = process.env['LINEAGE_CORPUS'];
const folder = root === undefined ? undefined : join(root, 'comfyui-examples');
const files =
  folder !== undefined && existsSync(folder)
    ? readdirSync(folder).filter((name) => name.endsWith('.json'))
    : [];
if (files.length === 0) console.info('skipped: pairs of the corpus (set LINEAGE_CORPUS to its folder)');

const definitions = coreDefinitions();

/**
 * Where a pair differs, and why. `rename` gives other ids to nodes: the front end that wrote this one had just made the
 * group node, and kept the ids of its nodes for that session; from the file they are outer:index.
 */
const DIFFERENCES: Readonly<
  Record<string, { readonly why: string; readonly rename: Readonly<Record<string, string>> }>
> = {
  'stable_cascade_stable_cascade__inpaint_controlnet.json': {
    why: 'the group node was made in the session that queued the prompt, whose nodes kept their ids',
    rename: { '68:0': '62', '68:1': '66', '68:2': '64', '68:3': '61', '68:5': '60' },
  },
};

type Plain = Readonly<Record<string, { readonly class_type: string; readonly inputs: object }>>;

/** A prompt as numbers and texts only, under other ids where they are given. */
function toPlain(prompt: unknown, rename: Readonly<Record<string, string>> = {}): Plain {
  const idOf = (id: string): string => rename[id] ?? id;
  const plain = (value: unknown): unknown => {
    if (isApiLink(value)) return [idOf(value[0]), value[1]];
    return value instanceof ExactNumber ? value.value : value;
  };
  if (!isRecord(prompt)) return {};
  return Object.fromEntries(
    Object.entries(prompt).map(([id, node]) => {
      if (!isRecord(node) || !isRecord(node['inputs'])) throw new Error(`no node: ${id}`);
      const inputs = Object.fromEntries(
        Object.entries(node['inputs']).map(([name, value]) => [name, plain(value)]),
      );
      return [idOf(id), { class_type: String(node['class_type']), inputs }];
    }),
  );
}

/** Recorded inputs that no class declares: what buttons and players of the editor leave, and a server ignores. */
function withoutPseudo(prompt: Plain): Plain {
  return Object.fromEntries(
    Object.entries(prompt).map(([id, { class_type, inputs }]) => {
      const declared = definitions.get(class_type)?.inputs.map(({ name }) => name) ?? [];
      const kept = Object.entries(inputs).filter(([name]) => declared.includes(name));
      return [id, { class_type, inputs: Object.fromEntries(kept) }];
    }),
  );
}

/** Inputs that classes got since the picture was made, which were told of: the file is silent about them. */
function withoutDefaults(prompt: ConvertedPrompt, warnings: readonly string[]): ConvertedPrompt {
  const told = new Set(warnings);
  return Object.fromEntries(
    Object.entries(prompt).map(([id, node]) => {
      const kept = Object.entries(node.inputs).filter(([name]) => !told.has(`${id}.${name}`));
      return [id, { ...node, inputs: Object.fromEntries(kept) }];
    }),
  );
}

function convertPair(file: string): { readonly ours: Plain; readonly theirs: Plain } {
  const pair = parseExactJson(readFileSync(join(folder ?? '', file), 'utf8'), () => {});
  if (!isRecord(pair)) throw new Error('no pair');
  const { warn, list } = createWarningLog();
  const prompt = convertWorkflow(pair['workflow'], definitions, { texts: 'as-queued' }, warn);
  const defaults = list.flatMap(({ code, message, where }) =>
    code === 'workflow/default'
      ? message
          .replace('the file holds no value for ', '')
          .split(', ')
          .map((name) => `${where}.${name}`)
      : [],
  );
  return {
    ours: toPlain(withoutDefaults(prompt, defaults), DIFFERENCES[file]?.rename),
    theirs: withoutPseudo(toPlain(pair['prompt'])),
  };
}

describe.skipIf(files.length === 0)('the pairs of the corpus', () => {
  test.each(files)('%s', (file) => {
    const { ours, theirs } = convertPair(file);
    expect(ours).toEqual(theirs);
  });

  test('at least 76 of 80 need no reason', () => {
    expect(files).toHaveLength(80);
    expect(Object.keys(DIFFERENCES).length).toBeLessThanOrEqual(4);
    expect(files).toEqual(expect.arrayContaining(Object.keys(DIFFERENCES)));
  });
});
