/**
 * Keeps this process alive when something is thrown that nobody catches: a node's timer or event handler may do so.
 * Such an error says nothing of which part of the process can still be trusted, so `fail` has to give up what runs.
 *
 * @returns takes the guard away again.
 */
export function guardProcess(fail: (error: unknown) => void): () => void {
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  return () => {
    process.off('uncaughtException', fail);
    process.off('unhandledRejection', fail);
  };
}
