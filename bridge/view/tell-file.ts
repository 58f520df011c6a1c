import { readContainer } from '../../nodes/formats/container.ts';
import { isLineageError } from '../../nodes/kit/errors.ts';
import type { RuleFiles } from '../../nodes/kit/rule-files.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { type PictureStory, receiptOf, storyOf } from '../panel/picture-story.ts';
import { type PictureGraph, toPictureGraph } from './picture-graph.ts';

/** A failure in words; it ends one part of a page, not the others. */
type Failed = { readonly error: { readonly code: string; readonly message: string; readonly hint: string } };
type Part<T> = { readonly value: T } | Failed;

/** All that the page shows of one file beside the picture. */
export type ToldFile = {
  readonly story: Part<PictureStory>;
  readonly receipt: Part<ReturnType<typeof receiptOf>>;
  /** null where the file carries no prompt graph. */
  readonly graph: Part<PictureGraph | null>;
};

/**
 * Reads what a picture says of itself.
 *
 * @param bytes the complete file; not modified, not retained
 * @param node the node that saved it, where the asker knows
 */
export async function tellFile(
  bytes: Uint8Array,
  { node, rules }: { readonly node?: string; readonly rules: RuleFiles },
): Promise<ToldFile> {
  const story = await attempt(() => storyOf(bytes, node, rules));
  const paths = 'value' in story ? story.value.fields.flatMap(({ path }) => path) : [];
  const { warn } = createWarningLog();
  return {
    story,
    receipt: await attempt(() => receiptOf(bytes)),
    graph: await attempt(
      () => toPictureGraph(readCarried(readContainer(bytes)), new Set(paths), warn) ?? null,
    ),
  };
}

/** Expected failures are answers; what else is thrown is a bug. */
async function attempt<T>(work: () => T | Promise<T>): Promise<Part<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (!isLineageError(error)) throw error;
    const { code, message, hint } = error;
    return { error: { code, message, hint } };
  }
}
