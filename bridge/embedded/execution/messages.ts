import type { EventSink } from '../events.ts';
import type { Job, Outcome } from '../job.ts';

type Data = Readonly<Record<string, unknown>>;

/** What a job says, and to whom. */
export type Messages = {
  /** What history keeps, in order. */
  readonly recorded: Outcome['messages'];
  /** A message of history: stamped and kept, and sent to the job's client where it has one. */
  record(event: string, data: Data): void;
  /** Kept and sent; to everybody where the job has no client. */
  announce(event: string, data: Data): void;
  /** Sent to the job's client where it has one, and not kept. */
  tell(event: string, data: Data): void;
  /** Sent and not kept; to everybody where the job has no client. */
  broadcast(event: string, data: Data): void;
};

/** Who hears what follows ComfyUI 618b803d execution.py, server.py. */
export function createMessages(job: Job, events: EventSink, now: () => number): Messages {
  const recorded: (readonly [string, Data])[] = [];
  const broadcast = (event: string, data: Data): void => events.send(event, data, job.clientId);
  const tell = (event: string, data: Data): void => {
    if (job.clientId !== undefined) broadcast(event, data);
  };
  const keep = (event: string, data: Data): Data => {
    const stamped = { ...data, timestamp: now() };
    recorded.push([event, stamped]);
    return stamped;
  };
  return {
    recorded,
    record: (event, data) => tell(event, keep(event, data)),
    announce: (event, data) => broadcast(event, keep(event, data)),
    tell,
    broadcast,
  };
}
