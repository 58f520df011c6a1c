import { visibleText } from '../../nodes/kit/visible-text.ts';
import { createBar } from './progress-bar.ts';
import { formatSeconds } from './sizes.ts';
import type { Terminal } from './terminal.ts';

/** A line that moves while files are worked on. */
export type FileProgress = {
  /** One more is done: `done` of `total`, in whatever is counted. */
  show(done: number, total: number, file: string): void;
  /** Prints something else: the line makes room for it. */
  beside(print: () => void): void;
  /** Takes the line away; needed however the work ends. */
  stop(): void;
};

const FORMAT = '{bar} {percentage} %  {files} files  {rate}/s  {left} left  {file}';
/** Faster than eyes follow; drawing a line takes as long as tagging a small picture. */
const DRAW_MS = 100;
/** Of the end of a name, where lines are short. */
const NAME = 40;

/** Shows files on a terminal; elsewhere (a pipe, a log) nothing. */
export function showFiles(isTerminal = process.stderr.isTTY === true): FileProgress {
  const bar = createBar(FORMAT);
  const startedAt = performance.now();
  let files = 0;
  let isMoving = false;
  let drawnAt = 0;

  function stop(): void {
    if (isMoving) bar.stop();
    isMoving = false;
  }

  return {
    show(done, total, file) {
      files++;
      if (!isTerminal || performance.now() - drawnAt < DRAW_MS) return;
      drawnAt = performance.now();
      const seconds = (performance.now() - startedAt) / 1000;
      const words = {
        files: String(files),
        rate: (files / seconds).toFixed(files / seconds < 10 ? 1 : 0),
        left: formatSeconds((seconds / Math.max(1, done)) * Math.max(0, total - done)),
        file: visibleText(file).slice(-NAME),
      };
      if (isMoving) bar.update(done, words);
      else bar.start(Math.max(1, total), done, words);
      isMoving = true;
    },
    beside(print) {
      stop();
      print();
    },
    stop,
  };
}

/** A terminal whose lines the moving one makes room for. */
export function besideProgress({ beside }: FileProgress, { print, note, debug }: Terminal): Terminal {
  return {
    print: (text) => beside(() => print(text)),
    note: (text) => beside(() => note(text)),
    debug: (text) => beside(() => debug(text)),
  };
}
