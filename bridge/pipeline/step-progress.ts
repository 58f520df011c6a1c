import type { FileFacts } from '../../nodes/pipeline/facts.ts';
import type { PipelineEvent } from './pipeline-report.ts';

/** Of the rate so far, this much counts at each new look: a few seconds in all. */
const MEMORY = 0.9;

/**
 * Turns the bytes that an engine tells into events with the tensor, the rate and the time left.
 *
 * @param facts of the file that is being made, where it is known.
 */
export function reportProgress(
  id: string,
  facts: FileFacts | undefined,
  tell: (event: PipelineEvent) => void,
): (doneBytes: number, totalBytes: number) => void {
  const places = [...(facts?.tensors ?? [])].map(([name, { offset }]) => ({ name, offset }));
  places.sort((a, b) => a.offset - b.offset);
  let last: { readonly at: number; readonly bytes: number } | undefined;
  let rate = 0;
  return (doneBytes, totalBytes) => {
    const at = performance.now();
    if (last && at > last.at) {
      const now = (1000 * (doneBytes - last.bytes)) / (at - last.at);
      rate = rate === 0 ? now : MEMORY * rate + (1 - MEMORY) * now;
    }
    last = { at, bytes: doneBytes };
    const tensor = places.findLast(({ offset }) => offset < doneBytes)?.name;
    tell({
      kind: 'step-progress',
      id,
      ...(tensor !== undefined && { tensor }),
      doneBytes,
      totalBytes,
      bytesPerSecond: rate,
      secondsLeft: rate > 0 ? (totalBytes - doneBytes) / rate : Number.POSITIVE_INFINITY,
    });
  };
}
