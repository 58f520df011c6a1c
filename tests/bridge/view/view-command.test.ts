import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { putImage } from '../cli/pictures.ts';
import { lineage, newFolder } from '../cli/run.ts';

/** Stops the command with a signal as soon as this is true. */
function stopWhen(isDone: () => boolean) {
  return (child: { kill(signal: NodeJS.Signals): boolean; stdout?: unknown }): void => {
    const timer = setInterval(() => {
      if (!isDone()) return;
      clearInterval(timer);
      child.kill('SIGINT');
    }, 20);
  };
}

test.skipIf(process.platform !== 'linux')(
  'opens the browser of its owner with the address that it prints',
  async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    // Stands where the system's own program would be: it notes what it was asked to open.
    const programs = join(folder, 'programs');
    const noted = join(folder, 'opened.txt');
    mkdirSync(programs);
    writeFileSync(
      join(programs, 'xdg-open'),
      `#!/bin/sh\nprintf %s "$1" > ${noted}.part && mv ${noted}.part ${noted}\n`,
    );
    chmodSync(join(programs, 'xdg-open'), 0o755);
    const opened = (): string => {
      try {
        return readFileSync(noted, 'utf8');
      } catch {
        return '';
      }
    };
    const { status, stdout } = await lineage(folder, ['view', 'a.png'], {
      env: { PATH: `${programs}:${process.env['PATH'] ?? ''}`, DISPLAY: ':99' },
      onStart: stopWhen(() => opened() !== ''),
    });
    expect(stdout).toMatch(/^lineage view: http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/\n$/);
    expect(stdout).toBe(`lineage view: ${opened()}\n`);
    expect(status).toBe(130);
  },
);

test('a browser that cannot be opened is no failure: the address is printed', async () => {
  const folder = newFolder();
  await putImage(folder, 'a.png', 'png');
  const { stdout, stderr } = await lineage(folder, ['view', 'a.png'], {
    env: { PATH: join(folder, 'empty'), DISPLAY: ':99' },
    onStart: (child) => {
      child.stdout?.once('data', () => setTimeout(() => child.kill('SIGINT'), 200));
    },
  });
  expect(stdout).toMatch(/^lineage view: http:/);
  expect(stderr).not.toMatch(/bug|ENOENT/);
});

test.each([
  ['absent.png', 'file/missing'],
  ['notes.txt', 'image/unknown-format'],
])('%s: what is wrong is said before anything listens', async (name, code) => {
  const folder = newFolder();
  await putImage(folder, 'a.png', 'png');
  writeFileSync(join(folder, 'notes.txt'), 'no picture');
  const { status, stdout, stderr } = await lineage(folder, ['view', '--no-open', 'a.png', name]);
  expect(status).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain(`error [${code}]`);
  expect(stderr).toContain(name);
});
