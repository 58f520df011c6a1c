import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createMemoryLedger } from '../../../bridge/local/ledger.ts';
import { createModelStore } from '../../../bridge/local/model-store.ts';

const top = realpathSync(mkdtempSync(join(tmpdir(), 'lineage-rehash-')));
afterAll(() => rmSync(top, { recursive: true }));

/** What `printf weights | sha256sum` prints. */
const SHA256 = '9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c';

test('hashes are made anew once a run, whatever the ledger holds', async () => {
  mkdirSync(join(top, 'loras'));
  const file = join(top, 'loras', 'a.safetensors');
  writeFileSync(file, 'weights');
  const real = createMemoryLedger();
  const wrong = { sha256: 'f'.repeat(64), autoV1: 'f'.repeat(8), autoV2: 'f'.repeat(10) };
  const asked: string[] = [];
  let isTouched = false;
  const ledger = {
    ...real,
    find: (identity: Parameters<typeof real.find>[0]) => {
      asked.push('find');
      return isTouched ? real.find(identity) : wrong;
    },
    remember: (...args: Parameters<typeof real.remember>) => {
      isTouched = true;
      real.remember(...args);
    },
  };
  const trusting = createModelStore({ folders: [top], ledger });
  expect(await trusting.hash(file)).toEqual(wrong);
  await trusting.close();

  asked.length = 0;
  const store = createModelStore({ folders: [top], ledger, forceRehash: true });
  const first = await store.hash(file);
  expect(first.sha256).toBe(SHA256);
  expect(asked).toEqual([]);
  expect(await store.hash(file)).toEqual(first);
  expect(asked).toEqual(['find']);
  await store.close();
});
