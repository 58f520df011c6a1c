/** Counts the pages that are open. */
export type PageWatch = {
  /** Says that a page is there. @returns to be called once, when it is gone */
  enter(): () => void;
  /** Nothing is waited for any more. */
  stop(): void;
};

/**
 * Tells when nobody looks any more. A page that was reloaded, or another that is opened in time, goes on; before the first
 * page there is no hurry.
 *
 * @param closedForMs how long all pages must have been closed
 */
export function createPageWatch(closedForMs: number, onDeserted: () => void): PageWatch {
  let open = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    enter() {
      open++;
      clearTimeout(timer);
      return () => {
        open--;
        if (open === 0) timer = setTimeout(onDeserted, closedForMs);
      };
    },
    stop: () => clearTimeout(timer),
  };
}
