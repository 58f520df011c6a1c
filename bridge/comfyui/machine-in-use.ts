import type { Machine } from './machine.ts';
import type { Settings } from './settings.ts';

/** The machine of the latest settings. One of earlier settings stays open as long as somebody works with it. */
export type MachineInUse = {
  /** Works with the machine of this moment, also when the settings change meanwhile. */
  use<T>(work: (machine: Machine) => Promise<T>): Promise<T>;
  /** From now on, `use` gives a machine of these settings. */
  replace(settings: Settings): void;
};

type Counted = { readonly machine: Machine; users: number };

/** @param onError told of what goes wrong when an earlier machine is closed: no call has anything to do with it. */
export function openMachineInUse(
  settings: Settings,
  open: (settings: Settings) => Machine,
  onError: (error: unknown) => void,
): MachineInUse {
  let current: Counted = { machine: open(settings), users: 0 };

  function closeIfUnused(counted: Counted): void {
    if (counted !== current && counted.users === 0) counted.machine.close().catch(onError);
  }

  return {
    async use(work) {
      const counted = current;
      counted.users++;
      try {
        return await work(counted.machine);
      } finally {
        counted.users--;
        closeIfUnused(counted);
      }
    },
    replace(settings) {
      const before = current;
      current = { machine: open(settings), users: 0 };
      closeIfUnused(before);
    },
  };
}
