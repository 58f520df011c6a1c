import { SingleBar } from 'cli-progress';

/** A line on a terminal that moves while something is worked on, and is gone when it is stopped. */
export function createBar(format: string): SingleBar {
  return new SingleBar({
    format,
    stream: process.stderr,
    barsize: 24,
    barCompleteChar: '#',
    barIncompleteChar: '-',
    hideCursor: true,
    clearOnComplete: true,
    // The last state is drawn by whoever stops it.
    gracefulExit: false,
  });
}
