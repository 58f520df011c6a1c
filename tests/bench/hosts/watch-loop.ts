import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * Put before a program (`node --import`): tells its parent, when asked over IPC, how long the event loop stood still at
 * the longest since it was asked last, in milliseconds. The timer's own period counts as nothing.
 */
const PERIOD_MS = 1;
const delay = monitorEventLoopDelay({ resolution: PERIOD_MS });
delay.enable();
process.on('message', () => {
  process.send?.(Math.max(0, delay.max / 1e6 - PERIOD_MS));
  delay.reset();
});
// Being asked is no reason to stay alive.
process.channel?.unref();
