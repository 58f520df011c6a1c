import { isRecord } from '../../kit/is-record.ts';

/** What a class declares of an input, as far as a rule could need it. */
export type DeclaredInput = {
  readonly name: string;
  /** A socket or widget type; `COMBO` for a menu. */
  readonly type: string;
  readonly isMultiline: boolean;
};

/** A class as `/object_info` declares it. */
export type ClassShape = {
  readonly classType: string;
  /** The pack that brings it: ComfyUI's `python_module`. */
  readonly pythonModule: string;
  readonly isOutputNode: boolean;
  readonly inputs: readonly DeclaredInput[];
  readonly outputs: readonly string[];
};

/** Reads what a ComfyUI answers to `GET /object_info`. Total: what is not shaped like a class is left out. */
export function readClassShapes(objectInfo: unknown): readonly ClassShape[] {
  if (!isRecord(objectInfo)) return [];
  return Object.entries(objectInfo).flatMap(([classType, raw]): ClassShape[] => {
    if (!isRecord(raw) || !isRecord(raw['input'])) return [];
    const { required, optional } = raw['input'];
    const pythonModule = raw['python_module'];
    return [
      {
        classType,
        pythonModule: typeof pythonModule === 'string' ? pythonModule.replace(/^custom_nodes\./, '') : '',
        isOutputNode: raw['output_node'] === true,
        inputs: [...inputsOf(required), ...inputsOf(optional)],
        outputs: Array.isArray(raw['output']) ? raw['output'].map(typeOf) : [],
      },
    ];
  });
}

function inputsOf(group: unknown): DeclaredInput[] {
  if (!isRecord(group)) return [];
  return Object.entries(group).flatMap(([name, spec]): DeclaredInput[] => {
    if (!Array.isArray(spec)) return [];
    const options: unknown = spec[1];
    return [{ name, type: typeOf(spec[0]), isMultiline: isRecord(options) && options['multiline'] === true }];
  });
}

function typeOf(type: unknown): string {
  return Array.isArray(type) ? 'COMBO' : typeof type === 'string' ? type : '*';
}
