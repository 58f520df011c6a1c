import { join } from 'node:path';
import express from 'express';
import { expect, test, vi } from 'vitest';
import { createPromptQueue } from '../../../../bridge/embedded/queue/prompt-queue.ts';
import { createRunHistory } from '../../../../bridge/embedded/queue/run-history.ts';
import { createRunQueue } from '../../../../bridge/embedded/queue/run-queue.ts';
import { openStore } from '../../../../bridge/embedded/queue/store.ts';
import { failureMiddleware } from '../../../../bridge/embedded/routes/failure.ts';
import { LineageError } from '../../../../nodes/kit/errors.ts';
import { serve as serveRoutes } from '../files/file-server.ts';
import { newFolder } from './harness.ts';

/** What SQLite itself says when nothing more fits, by a limit on its pages: the same as on a full disk. */
function fill(database: ReturnType<typeof openStore>): void {
  const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
  database.exec(`PRAGMA max_page_count = ${pages}`);
}

function jobOf(promptId: string, number: number, pad: number) {
  const prompt = { 1: { class_type: 'x', inputs: { pad: 'x'.repeat(pad) } } };
  return { promptId, number, prompt, extraData: { create_time: 1 }, outputs: ['1'] };
}

test('the end of a prompt waits until the store takes it, and the queue goes on', async () => {
  const database = openStore(join(newFolder(), 'store'));
  const queue = createPromptQueue(database);
  const history = createRunHistory(database, queue);
  queue.put(jobOf('a', 0, 10));
  queue.put(jobOf('b', 1, 10));
  const logged: string[] = [];
  const ran: string[] = [];
  const { promise: stuck, resolve: hearStuck } = Promise.withResolvers<void>();
  const run = createRunQueue({
    queue,
    history,
    hub: {
      send: () => undefined,
      preview: () => undefined,
      text: () => undefined,
      status: () => undefined,
      settlePreviews: async () => undefined,
    },
    log(_level, message) {
      logged.push(message);
      if (message.includes('could not be stored')) hearStuck();
    },
    now: () => 0,
    createRunner: () => ({
      async execute({ promptId }) {
        ran.push(promptId);
        if (promptId === 'a') fill(database);
        const outputs = { 1: { text: ['x'.repeat(100_000)] } };
        return { status: 'success', outputs, meta: {}, messages: [] };
      },
      interrupt: () => undefined,
      freeMemory: () => undefined,
    }),
  });
  run.start();
  await stuck;
  expect(ran).toEqual(['a']);
  expect(history.find('a')).toBeUndefined();
  database.exec('PRAGMA max_page_count = 1000000');
  await vi.waitFor(() => expect(history.count()).toBe(2), { timeout: 5_000 });
  expect(history.find('a')?.entry).toContain('"status_str":"success"');
  expect(queue.remaining()).toBe(0);
  await run.close();
  database.close();
});

test('a request that the full disk refuses is answered with 507', async () => {
  const database = openStore(join(newFolder(), 'store'));
  const queue = createPromptQueue(database);
  fill(database);
  const router = express.Router();
  router.get('/store', () => queue.put(jobOf('a', 0, 1_000_000)));
  router.get('/file', () => {
    const cause = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    throw new LineageError('file/unwritable', 'expected to write the file', {}, { cause });
  });
  router.get('/bug', () => {
    throw new Error('a bug');
  });
  router.use(failureMiddleware(() => undefined));
  const server = await serveRoutes(router);
  for (const [path, status] of [
    ['/store', 507],
    ['/file', 507],
    ['/bug', 500],
  ] as const) {
    expect((await server.ask(path)).status, path).toBe(status);
  }
  await server.close();
  database.close();
});
