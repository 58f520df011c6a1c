import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type Api, apiOf, TEST_NODES } from './harness.ts';

const PROGRAM = fileURLToPath(new URL('../../../../bridge/lineage.mjs', import.meta.url));

/** `lineage serve` in a process of its own. */
export type ServerProcess = Api & {
  readonly child: ChildProcess;
  /** All it wrote so far. */
  readonly output: () => string;
  /** Sends a signal and waits for the end. @returns the exit status, or the signal that ended it */
  end(signal: NodeJS.Signals): Promise<number | string | null>;
};

/** How a server ended before it was ready. */
export class EndedEarly extends Error {
  readonly status: number | null;

  constructor(status: number | null, output: string) {
    super(output);
    this.status = status;
  }
}

/** Starts a server on a folder, and waits until it answers. @throws EndedEarly */
export async function startServer(base: string, ...args: readonly string[]): Promise<ServerProcess> {
  const all = ['serve', '--port', '0', '--base', base, '--nodes', TEST_NODES, ...args];
  const env = { ...process.env, NODE_OPTIONS: '', LINEAGE_HOME: `${base}-home` };
  const child = spawn(process.execPath, [PROGRAM, ...all], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (text: string): void => {
      output += text;
      const ready = /^lineage serve: (http\S+)$/m.exec(output)?.[1];
      if (ready !== undefined) resolve(ready);
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    child.once('close', (status) => reject(new EndedEarly(status, output)));
  });
  return {
    ...apiOf(url),
    child,
    output: () => output,
    async end(signal) {
      const closed = once(child, 'close');
      child.kill(signal);
      const [status, by]: unknown[] = await closed;
      return typeof status === 'number' ? status : String(by);
    },
  };
}
