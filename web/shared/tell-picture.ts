import { failureView } from './failure-view.ts';
import { type AskPanel, fetchReceipt, fetchStory, type SavedImage, type Story } from './panel-client.ts';
import { receiptView, type ShowNode, storyView } from './story-view.ts';

/** What a picture says of itself, to be looked at; where a part cannot be had, why. */
export type Told = {
  /** Undefined where it cannot be had. */
  readonly story: Story | undefined;
  readonly views: readonly HTMLElement[];
};

/**
 * Asks who sees what in a picture, and how it was made.
 *
 * @param node the node that saved it
 */
export async function tellPicture(
  ask: AskPanel,
  image: SavedImage,
  node: string,
  showNode?: ShowNode,
): Promise<Told> {
  const [receipt, story] = await Promise.allSettled([fetchReceipt(ask, image), fetchStory(ask, image, node)]);
  const views: HTMLElement[] = [];
  if (receipt.status === 'fulfilled') views.push(receiptView(receipt.value));
  // What ails the file is the same for both: once is enough.
  else if (story.status === 'fulfilled' || wordsOf(receipt.reason) !== wordsOf(story.reason))
    views.push(failureView(receipt.reason));
  views.push(story.status === 'fulfilled' ? storyView(story.value, showNode) : failureView(story.reason));
  return { story: story.status === 'fulfilled' ? story.value : undefined, views };
}

function wordsOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
