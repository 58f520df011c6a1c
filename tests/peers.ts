import { execFileSync } from 'node:child_process';

/**
 * Foreign programs that check our files. A test that needs one is skipped with one line where it is absent;
 * LINEAGE_REQUIRE_PEERS=1 makes the absence a failure.
 */
export type Peer = {
  readonly available: boolean;
  /** Runs the program and answers with its standard output. */
  run(args: readonly string[], input?: string): string;
};

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

function makePeer(name: string, command: string, probe: readonly string[]): Peer {
  const run = (args: readonly string[], input?: string): string =>
    execFileSync(command, args, {
      encoding: 'utf8',
      maxBuffer: MAX_OUTPUT_BYTES,
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  try {
    run(probe);
    return { available: true, run };
  } catch (cause) {
    if (process.env['LINEAGE_REQUIRE_PEERS'] === '1') throw new Error(`${name} is required here`, { cause });
    console.warn(`skipped: tests that need ${name}, which is not installed`);
    return { available: false, run };
  }
}

/** `exiftool`: arguments as on its command line. */
export const exiftool = makePeer('exiftool', 'exiftool', ['-ver']);

/** Python with Pillow 11.3 or newer: arguments as for `python3`. */
export const pillow = makePeer(
  'python3 with Pillow 11.3 or newer',
  process.env['LINEAGE_PYTHON'] ?? 'python3',
  ['-c', 'import PIL; assert tuple(map(int, PIL.__version__.split(".")[:2])) >= (11, 3)'],
);

/** Python with numpy 2: arguments as for `python3`. */
export const numpy = makePeer('python3 with numpy 2', process.env['LINEAGE_PYTHON'] ?? 'python3', [
  '-c',
  'import numpy; assert int(numpy.__version__.split(".")[0]) >= 2',
]);

/** What `exiftool -validate -warning -error -a` says of a file, one finding a line; empty for a clean file. */
export function findingsOf(file: string): string {
  return exiftool
    .run(['-validate', '-warning', '-error', '-a', '-s3', file])
    .split('\n')
    .filter((line) => line !== 'OK')
    .join('\n')
    .trim();
}
