import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { mountTemporary } from '../merge/mount-temporary.ts';
import { drawNumbers, f16, writeModel } from '../merge/small-models.ts';
import { filesIn, makeModelFolder, runnerIn } from './models.ts';

const PROGRAM = fileURLToPath(new URL('../../../bridge/lineage.mjs', import.meta.url));
const SIDE = 1024;
const MANIFEST = {
  models: [{ path: 'one.safetensors' }, { path: 'two.safetensors' }],
  output: 'disk/out.safetensors',
};

/** Models of 8 MiB, and beside them a disk of its own to write to. */
function folderWithDisk(): string {
  const folder = makeModelFolder();
  for (const [at, name] of ['one', 'two'].entries()) {
    const layers = Array.from({ length: 4 }, (_, layer) => {
      const numbers = drawNumbers(10 * at + layer, SIDE * SIDE);
      return [`layers.${layer}.weight`, f16([SIDE, SIDE], numbers)] as const;
    });
    writeModel(join(folder, `${name}.safetensors`), new Map(layers));
  }
  return folder;
}

test('a disk that is too small is told by the file that does not fit', async ({ skip }) => {
  const folder = folderWithDisk();
  skip(!mountTemporary(join(folder, 'disk'), '4m'), 'needs the right to mount');
  try {
    const refused = runnerIn(folder)(MANIFEST);
    await expect(refused).rejects.toMatchObject({ code: 'pipeline/disk-space' });
    await expect(refused).rejects.toThrow(
      /disk\/out\.safetensors: expected 83\d{5} bytes of free space on its disk at this step, got 4194304/,
    );
    expect(readdirSync(join(folder, 'disk'))).toEqual([]);
  } finally {
    execFileSync('umount', ['-l', join(folder, 'disk')]);
  }
});

test('a disk that fills up meanwhile is told by the file that was asked for', async ({ skip }) => {
  const folder = folderWithDisk();
  const disk = join(folder, 'disk');
  skip(!mountTemporary(disk, '12m'), 'needs the right to mount');
  try {
    const fill = (): void => {
      try {
        writeFileSync(join(disk, 'filler'), new Uint8Array(16 << 20));
      } catch {
        // As far as it goes.
      }
    };
    const refused = runnerIn(folder)(MANIFEST, { onEvent: ({ kind }) => kind === 'step-start' && fill() });
    await expect(refused).rejects.toMatchObject({
      code: 'file/unwritable',
      where: { file: join(disk, 'out.safetensors') },
    });
    await expect(refused).rejects.not.toThrow(/lineage-tmp/);
    expect(readdirSync(disk)).toEqual(['filler']);
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
});

test.skipIf(process.platform === 'win32')('a limit to the size of files is told by the file as well', () => {
  const folder = folderWithDisk();
  writeFileSync(join(folder, 'limit.json'), JSON.stringify({ ...MANIFEST, output: 'out.safetensors' }));
  const before = filesIn(folder);
  // In blocks of 512 or 1024 bytes: less than the output either way.
  const command = `ulimit -f 2048; exec "${process.execPath}" "${PROGRAM}" merge --manifest limit.json --json`;
  const { status, stdout } = spawnSync('sh', ['-c', command], {
    cwd: folder,
    env: { ...process.env, LINEAGE_HOME: join(folder, '.scores'), NODE_OPTIONS: '' },
    encoding: 'utf8',
  });
  expect(status).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: 'file/unwritable', where: { file: join(folder, 'out.safetensors') } },
  });
  expect(filesIn(folder)).toEqual(before);
});
