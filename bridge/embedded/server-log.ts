/** How loud a line is. */
type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A line as `/internal/logs/raw` answers it: local time, and text with its line end. */
export type LogEntry = { readonly t: string; readonly m: string };

/** The server's log: the last lines are kept, and told to whoever watches. */
export type ServerLog = {
  log(level: LogLevel, message: string): void;
  entries(): readonly LogEntry[];
  /** Sends every later line to a client, until it goes or unsubscribes. */
  subscribe(clientId: string): void;
  unsubscribe(clientId: string): void;
  /** Where watchers are reached: sends to a client, and says whether it is still there. */
  connect(send: (clientId: string, entries: readonly LogEntry[]) => boolean): void;
};

/** As many as ComfyUI keeps (618b803d app/logger.py). */
const CAPACITY = 300;
/** Longer ones are cut: what clients send gets into messages. */
const MAX_MESSAGE_CHARACTERS = 8_192;
/** More watchers than any server has; further ones are refused. */
const MAX_WATCHERS = 64;

/**
 * @param write gets each line, without its line end.
 * @param verbose writes and keeps debug lines too.
 */
export function createServerLog(
  write: (line: string) => void,
  { verbose = false, now = () => new Date() }: { verbose?: boolean; now?: () => Date } = {},
): ServerLog {
  const kept: LogEntry[] = [];
  const watchers = new Set<string>();
  let fresh: LogEntry[] = [];
  let send: (clientId: string, entries: readonly LogEntry[]) => boolean = () => false;

  function tellWatchers(): void {
    const entries = fresh;
    fresh = [];
    for (const clientId of watchers) {
      if (!send(clientId, entries)) watchers.delete(clientId);
    }
  }

  return {
    log(level, message) {
      if (level === 'debug' && !verbose) return;
      const line = `${level === 'info' ? '' : `${level}: `}${clean(message)}`;
      write(line);
      const entry = { t: localTime(now()), m: `${line}\n` };
      kept.push(entry);
      if (kept.length > CAPACITY) kept.shift();
      if (watchers.size === 0) return;
      // Lines of one turn of the event loop go out together.
      if (fresh.length === 0) setImmediate(tellWatchers);
      if (fresh.length < CAPACITY) fresh.push(entry);
    },
    entries: () => kept,
    subscribe(clientId) {
      if (watchers.size < MAX_WATCHERS) watchers.add(clientId);
    },
    unsubscribe: (clientId) => void watchers.delete(clientId),
    connect(to) {
      send = to;
    },
  };
}

/** Control characters in a client's text could rewrite the terminal. */
function clean(message: string): string {
  const cut =
    message.length > MAX_MESSAGE_CHARACTERS ? `${message.slice(0, MAX_MESSAGE_CHARACTERS)}…` : message;
  return cut.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    (unit) => `\\x${unit.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** As Python's `datetime.isoformat` without a zone. */
function localTime(time: Date): string {
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, -1);
}
