import type { Terminal } from './terminal.ts';

/** What every command gets beside its own options. */
export type CommandContext = {
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C, and by the signals of a system that wants the process to end. */
  readonly signal: AbortSignal;
  /** The work is done, and something speaks against its subject: the exit status says so. */
  noteFinding(): void;
};
