import { setFlagsFromString } from 'node:v8';

/** The default of V8. */
const GROWTH = 2;

/**
 * Runs work during which the young part of this process's heap does not grow. V8 doubles it each time much survives,
 * as the plan of a job does, and gives it back minutes later: 10 MB of a job of 3,600 tensors. Where that is made of
 * many small things that soon die, work is slower, so it grows again afterwards.
 */
export async function withYoungHeapAsItIs<T>(work: () => Promise<T>): Promise<T> {
  setFlagsFromString('--semi-space-growth-factor=1');
  try {
    return await work();
  } finally {
    setFlagsFromString(`--semi-space-growth-factor=${GROWTH}`);
  }
}
