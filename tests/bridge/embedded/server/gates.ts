import { existsSync, watch, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/**
 * Where a node of a test waits for its test, which may be of another process: a gate is the path of a file, open when
 * the file is there.
 */
export const gates = {
  open: (gate: string): void => writeFileSync(gate, ''),

  wait(gate: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const watcher = watch(dirname(gate), (_event, name) => {
        if (name === basename(gate)) end();
      });
      const end = (): void => {
        watcher.close();
        if (signal.aborted) reject(signal.reason);
        else resolve();
      };
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted || existsSync(gate)) end();
    });
  },
};
