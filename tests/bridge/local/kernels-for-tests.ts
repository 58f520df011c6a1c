import { LineageError } from '../../../nodes/kit/errors.ts';
import { defineKernel } from '../../../nodes/kit/graph-node.ts';

/** Ends its thread, as running out of memory does. */
export const crash = defineKernel({
  name: 'crash',
  run(status: number): never {
    process.exit(status);
  },
});

/** Fails as a kernel does that was given something wrong. */
export const fail = defineKernel({
  name: 'fail',
  run(kind: 'expected' | 'bug'): never {
    if (kind === 'bug') throw new TypeError('a bug');
    throw new LineageError('builtin/shapes', 'expected sides, got none', { input: 'image' });
  },
});

/** Never ends, but for its limit. */
export const hang = defineKernel({
  name: 'hang',
  milliseconds: 200,
  run(_: null): never {
    for (;;) Math.hypot(3, 4);
  },
});

/** Never ends. */
export const forever = defineKernel({
  name: 'forever',
  run(_: null): never {
    for (;;) Math.hypot(3, 4);
  },
});

/** Says whether an array came over shared memory, and writes into it where it did. */
export const touch = defineKernel({
  name: 'touch',
  run({ array }: { readonly array: Uint8Array }): { readonly shared: boolean; readonly array: Uint8Array } {
    array[0] = 42;
    return { shared: array.buffer instanceof SharedArrayBuffer, array };
  },
});

/** Works for so long, and says when. */
export const work = defineKernel({
  name: 'work',
  run(milliseconds: number): { readonly from: number; readonly to: number } {
    const from = Date.now();
    while (Date.now() - from < milliseconds) Math.hypot(3, 4);
    return { from, to: Date.now() };
  },
});

/** Small: runs where it is called. */
export const small = defineKernel({
  name: 'not in the list',
  steps: (steps: number) => steps,
  run: (steps: number): number => steps,
});
