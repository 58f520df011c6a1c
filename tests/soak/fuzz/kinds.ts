import { IMAGE_FORMATS, type ImageFormat } from '../../../nodes/kit/values.ts';

export type PictureKind = ImageFormat;
/** What is fuzzed: pictures by format, prompt graphs, workflows and files of rules. */
export const KINDS = [...IMAGE_FORMATS, 'graph', 'workflow', 'rules'] as const;
export type Kind = (typeof KINDS)[number];

/** @throws Error for another word */
export function kindOf(word: string): Kind {
  const kind = KINDS.find((each) => each === word);
  if (kind === undefined) throw new Error(`expected one of ${KINDS.join(', ')}, got ${word}`);
  return kind;
}

export function isPicture(kind: Kind): kind is PictureKind {
  return IMAGE_FORMATS.some((format) => format === kind);
}
