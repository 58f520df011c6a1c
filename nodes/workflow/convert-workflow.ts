import type { Json } from '../kit/exact-json.ts';
import type { WarningSink } from '../kit/warnings.ts';
import { type FlatNode, flattenWorkflow } from './flatten.ts';
import type { InputDefinition, NodeDefinitions } from './node-definitions.ts';
import { parseWorkflow } from './parse-workflow.ts';
import { createResolver, type Resolver } from './resolve-link.ts';
import { hasReplacements, replaceInName, resolveDynamicPrompt } from './texts.ts';
import type { WidgetValues } from './widget-values.ts';

/** How texts are read. */
export type ConvertOptions = {
  /**
   * Whether a graph is queued now or was before: what a picture carries had its alternatives chosen and its comments
   * taken out, and braces in it are meant.
   */
  readonly texts: 'as-edited' | 'as-queued';
  /** For `%date:…%` in file names; without it they stay as they stand. */
  readonly now?: Date;
};

/** A prompt graph as JSON: literals share the workflow's values. */
export type ConvertedPrompt = Readonly<Record<string, ConvertedNode>>;

type ConvertedNode = {
  readonly class_type: string;
  readonly inputs: Readonly<Record<string, Json>>;
  readonly _meta: { readonly title: string };
};

/**
 * The prompt graph (API format) of a workflow as the editor saved it, as the editor itself would queue it: virtual nodes
 * are gone, subgraphs and groups taken apart, bypassed and muted nodes left out, widget values by name.
 *
 * @param workflow what a JSON parser gave; not modified. Numbers stay as they are spelt
 * @param definitions the classes of the server, from `parseNodeDefinitions`
 * @param warn hears of everything that could not be carried
 * @returns nodes in the order of the file; its values are those of the workflow, shared
 * @throws LineageError `workflow/malformed`, `workflow/recursive`, `workflow/too-large`
 * @see reference: ComfyUI_frontend 1.58 src/utils/executionUtil.ts, graphToPrompt
 */
export function convertWorkflow(
  workflow: unknown,
  definitions: NodeDefinitions,
  options: ConvertOptions,
  warn: WarningSink,
): ConvertedPrompt {
  const { nodes } = flattenWorkflow(parseWorkflow(workflow, definitions, warn), definitions, warn);
  const running = nodes.filter(runs);
  const resolve = createResolver();
  return Object.fromEntries(
    running.map((node): [string, ConvertedNode] => {
      const { id, definition } = node;
      tellUnknown(node, warn);
      const values = readTexts(node, nodes, options, warn);
      const inputs = Object.fromEntries(connect(node, values, resolve, warn));
      const title = node.node.title ?? definition?.title ?? node.node.type;
      return [id, { class_type: node.node.type, inputs, _meta: { title } }];
    }),
  );
}

function runs({ isActive, kind, inner }: FlatNode): boolean {
  return isActive && kind === undefined && inner === undefined;
}

function tellUnknown({ definition, node, id }: FlatNode, warn: WarningSink): void {
  if (!definition) warn('workflow/unknown-class', `no class ${node.type} is known; links are kept`, id);
}

/** Values first, then what is connected in their place. */
function connect(
  node: FlatNode,
  values: WidgetValues,
  resolve: Resolver,
  warn: WarningSink,
): ReadonlyMap<string, Json> {
  const inputs = new Map<string, Json>();
  for (const [name, value] of values) inputs.set(name, wrap(value));
  for (const [slot, { name }] of node.inputs.entries()) {
    const origin = resolve(node, slot);
    const where = `${node.id}.${name}`;
    if (origin.kind === 'value') inputs.set(name, wrap(origin.value));
    else if (origin.kind === 'broken') warn(origin.code, origin.message, where);
    else if (origin.kind === 'node') inputs.set(name, [origin.node.id, origin.slot]);
  }
  return inputs;
}

/** A list would be taken for a link. */
function wrap(value: Json): Json {
  return Array.isArray(value) ? { __value__: value } : value;
}

function readTexts(
  node: FlatNode,
  nodes: readonly FlatNode[],
  { texts, now }: ConvertOptions,
  warn: WarningSink,
): WidgetValues {
  const inputs = new Map((node.definition?.inputs ?? []).map((input) => [input.name, input]));
  const { type } = node.node;
  return new Map(
    [...node.values].map(([name, value]): [string, Json] => {
      const where = `${node.id}.${name}`;
      if (typeof value !== 'string') return [name, value];
      if (hasReplacements(type, name)) return [name, replaceInName(value, nodes, now, warn, where)];
      const input = inputs.get(name);
      if (texts === 'as-edited' && input?.options['dynamicPrompts'] === true) {
        const { text, hasChosen } = resolveDynamicPrompt(value);
        if (hasChosen) warn('workflow/choice', 'of alternatives in braces the first was taken', where);
        return [name, text];
      }
      return [name, spellAsOffered(value, input, warn, where)];
    }),
  );
}

/** Files made under Windows name models with backslashes, and the oldest samplers with a prefix. */
function spellAsOffered(
  value: string,
  input: InputDefinition | undefined,
  warn: WarningSink,
  where: string,
): string {
  if (input?.type !== 'COMBO' || input.choices.length === 0 || input.choices.includes(value)) return value;
  const plain = (name: Json): string => String(name).replaceAll('\\', '/');
  const wanted = [value, value.replace(/^sample_/, '')].map(plain);
  const offered = input.choices.find((choice) => wanted.includes(plain(choice)));
  if (offered === undefined) return value;
  warn('workflow/spelling', `${JSON.stringify(value)} is called ${JSON.stringify(offered)} here`, where);
  return String(offered);
}
