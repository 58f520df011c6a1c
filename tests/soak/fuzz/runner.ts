import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { makeInput } from './inputs.ts';
import type { Seeds } from './seeds.ts';
import type { Finding, Job, Report } from './worker.ts';

/** Wall time; the worker measures its own. Only what hangs for good ends here. */
const HANG_MS = 30_000;
const POLL_MS = 500;

type Outcome = { readonly next: number; readonly fault?: 'crash' | 'hang'; readonly words: string };

/** Leads one process after the other through jobs; one that dies or hangs costs the input that it was at. */
export class Runner {
  #child: ChildProcess | undefined;
  readonly #program: string;
  readonly #picturesFile: string;
  readonly #positionFile: string;
  readonly #seeds: Seeds;

  constructor(program: string, picturesFile: string, positionFile: string, seeds: Seeds) {
    this.#program = program;
    this.#picturesFile = picturesFile;
    this.#positionFile = positionFile;
    this.#seeds = seeds;
  }

  /** @param found hears of each fault once a signature and job */
  async run(job: Omit<Job, 'positionFile'>, found: (finding: Finding) => void): Promise<void> {
    for (let from = job.from; from < job.to; ) {
      const suspects: Finding[] = [];
      const { next, fault, words } = await this.#lead({ ...job, from }, (finding) => {
        if (finding.what === 'memory') suspects.push(finding);
        else found(finding);
      });
      if (fault) found(this.#findingOf(job, next - 1, fault, words));
      // A process that has read much before may be large for that: the input alone has to be.
      for (const { index } of suspects) {
        this.end();
        const alone = await this.#lead({ ...job, from: index, to: index + 1 }, found);
        if (alone.fault) found(this.#findingOf(job, index, alone.fault, alone.words));
        this.end();
      }
      from = next;
    }
  }

  end(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  #findingOf(
    { kind, seed }: Pick<Job, 'kind' | 'seed'>,
    index: number,
    what: 'crash' | 'hang',
    words: string,
  ): Finding {
    const input = Buffer.from(makeInput(kind, this.#seeds, seed, index)).toString('base64');
    return { kind, index, what, signature: `${what} ${index}`, detail: words, input };
  }

  #start(): ChildProcess {
    const execArgv = ['--max-old-space-size=192', '--max-semi-space-size=16', '--expose-gc'];
    const args = ['--worker', this.#picturesFile];
    const env = { ...process.env, NODE_OPTIONS: '' };
    return fork(this.#program, args, { execArgv, env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  }

  #position(): number {
    return existsSync(this.#positionFile) ? Number(readFileSync(this.#positionFile, 'utf8')) : 0;
  }

  #lead(job: Omit<Job, 'positionFile'>, tell: (finding: Finding) => void): Promise<Outcome> {
    const child = this.#child ?? this.#start();
    this.#child = child;
    let words = '';
    return new Promise((resolve) => {
      let last = { position: -1, since: performance.now() };
      const hear = (chunk: Buffer): void => {
        words = `${words}${chunk}`.slice(-2_000);
      };
      const finish = (outcome: Outcome): void => {
        clearInterval(poll);
        child.removeAllListeners();
        child.stderr?.off('data', hear);
        if (outcome.fault) this.end();
        resolve(outcome);
      };
      const poll = setInterval(() => {
        const position = this.#position();
        if (position !== last.position) last = { position, since: performance.now() };
        else if (performance.now() - last.since > HANG_MS && position >= job.from)
          finish({ next: position + 1, fault: 'hang', words: `more than ${HANG_MS} ms` });
      }, POLL_MS);
      child.stderr?.on('data', hear);
      child.on('message', (report: Report) => {
        if ('finding' in report) tell(report.finding);
        else finish({ next: report.done, words });
      });
      child.on('exit', (code, signal) => {
        const next = Math.max(job.from, this.#position()) + 1;
        finish({ next, fault: 'crash', words: `${code ?? signal}: ${words}` });
      });
      child.send({ ...job, positionFile: this.#positionFile } satisfies Job);
    });
  }
}
