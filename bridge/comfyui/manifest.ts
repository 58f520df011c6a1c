import type { AnyNode } from '../../nodes/kit/define-node.ts';
import { ERRORS, type ErrorCode } from '../../nodes/kit/errors.ts';
import { toInputSpec } from '../../nodes/kit/input-spec.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { PROTOCOL } from './messages.ts';

/** What Python makes the classes of: every node of ours in ComfyUI's terms, so that none needs this program to register. */
export type Manifest = {
  readonly protocol: number;
  /** The pack's version; both sides of the bridge must have the same. */
  readonly version: string;
  /** What to do next, by code: of the failures that Python finds by itself. */
  readonly hints: Readonly<Record<string, string>>;
  readonly nodes: readonly ManifestNode[];
};

type ManifestNode = {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly description: string;
  readonly terminal: boolean;
  /** Python sends the declarations of all classes along. */
  readonly classes?: true;
  /** In the order of the canvas. `options` are those of `/object_info`. */
  readonly inputs: readonly {
    readonly name: string;
    readonly type: string | readonly string[];
    readonly optional: boolean;
    /** For pictures whose samples may be cut down to this type on the way. */
    readonly samples?: 'uint8';
    readonly options: Readonly<Record<string, unknown>>;
  }[];
  readonly outputs: readonly { readonly name: string; readonly type: string; readonly tooltip: string }[];
};

/** Every code that the `.py` files beside this one raise. */
const PYTHON_CODES = [
  'bridge/node-missing',
  'bridge/node-old',
  'bridge/node-setting',
  'bridge/not-installed',
  'bridge/no-start',
  'bridge/version',
  'bridge/lost',
  'bridge/hung',
  'bridge/value',
  'bridge/too-large',
  'exchange/file',
  'exchange/full',
  'image/shape',
] as const satisfies readonly ErrorCode[];

/** The version that both sides must have. */
export const PACK_VERSION = packageJson.version;

/** The manifest of some nodes; pure JSON. Builtins are ComfyUI's own there and have no place in it. */
export function toManifest(definitions: readonly AnyNode[]): Manifest {
  return {
    protocol: PROTOCOL,
    version: PACK_VERSION,
    hints: Object.fromEntries(PYTHON_CODES.map((code) => [code, ERRORS[code]])),
    nodes: definitions.map(
      ({ id, title, category, description, terminal, asksClasses, inputs, outputs }) => ({
        id,
        title,
        category,
        description,
        terminal: terminal ?? false,
        ...(asksClasses && { classes: asksClasses }),
        inputs: Object.entries(inputs).map(([name, field]) => ({
          name,
          optional: field.optional ?? false,
          ...(field.kind === 'images' && field.samples ? { samples: field.samples } : {}),
          ...toInputSpec(field),
        })),
        outputs: Object.entries(outputs).map(([name, output]) => ({ name, ...output })),
      }),
    ),
  };
}
