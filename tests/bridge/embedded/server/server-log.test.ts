import { expect, test } from 'vitest';
import { createServerLog, type LogEntry } from '../../../../bridge/embedded/server-log.ts';

test('keeps the last 300 lines, and debug lines only where they are wanted', () => {
  const written: string[] = [];
  const quiet = createServerLog((line) => written.push(line));
  for (let i = 0; i < 310; i++) quiet.log('info', `line ${i}`);
  quiet.log('debug', 'detail');
  quiet.log('error', 'trouble');
  expect(quiet.entries()).toHaveLength(300);
  expect(quiet.entries()[0]?.m).toBe('line 11\n');
  expect(quiet.entries().at(-1)?.m).toBe('error: trouble\n');
  expect(written).toHaveLength(311);
  const loud = createServerLog(() => undefined, { verbose: true });
  loud.log('debug', 'detail');
  expect(loud.entries()[0]?.m).toBe('debug: detail\n');
});

test('writes neither escapes for the terminal nor texts without end', () => {
  const written: string[] = [];
  const { log } = createServerLog((line) => written.push(line));
  log('warn', 'a\u001b[2J\rb\u009b');
  log('info', 'x'.repeat(100_000));
  expect(written[0]).toBe('warn: a\\x1b[2J\\x0db\\x9b');
  expect(written[1]?.length).toBeLessThan(9_000);
});

test('tells watchers what comes in one turn together, and forgets who is gone', async () => {
  const { log, subscribe, unsubscribe, connect } = createServerLog(() => undefined);
  const told: [string, readonly LogEntry[]][] = [];
  connect((clientId, entries) => {
    told.push([clientId, entries]);
    return clientId !== 'gone';
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (const id of ['a', 'b', 'gone']) subscribe(id);
  log('info', '1');
  log('info', '2');
  await turn();
  expect(told.map(([id, entries]) => [id, entries.map(({ m }) => m)])).toEqual(
    ['a', 'b', 'gone'].map((id) => [id, ['1\n', '2\n']]),
  );
  told.length = 0;
  unsubscribe('b');
  log('info', '3');
  await turn();
  expect(told.map(([id]) => id)).toEqual(['a']);
});
