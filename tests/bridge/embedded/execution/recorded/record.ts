/**
 * Records what ComfyUI says while it runs `graphs.json`, each graph twice, into `messages.gen.json`:
 *
 *   node tests/bridge/embedded/execution/recorded/record.ts PORT
 *
 * Needs a ComfyUI (0.8.0, commit 618b803d was recorded) that was just started, with its own
 * tests/execution/testing_nodes/testing-pack among its custom nodes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { type Brief, shorten } from './brief.ts';

const port = process.argv[2];
const here = (name: string) => new URL(name, import.meta.url);
const message = z.object({ type: z.string(), data: z.record(z.string(), z.unknown()) });
const graphs = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(here('graphs.json'), 'utf8')));

const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?clientId=recorder`);
await new Promise((resolve) => socket.once('open', resolve));

async function run(prompt: unknown): Promise<Brief[]> {
  const said: Brief[] = [];
  const ended = new Promise<void>((resolve) => {
    socket.on('message', (data, isBinary) => {
      if (isBinary) return;
      const heard = message.parse(JSON.parse(String(data)));
      if (heard.type === 'executing' && heard.data['node'] === null) return resolve();
      const brief = shorten(heard.type, heard.data);
      if (brief) said.push(brief);
    });
  });
  const body = JSON.stringify({ prompt, client_id: 'recorder' });
  const answer = await fetch(`http://127.0.0.1:${port}/prompt`, { method: 'POST', body });
  if (!answer.ok) throw new Error(await answer.text());
  await ended;
  socket.removeAllListeners('message');
  return said;
}

const recorded: Record<string, Brief[][]> = {};
for (const [name, prompt] of Object.entries(graphs)) recorded[name] = [await run(prompt), await run(prompt)];
writeFileSync(here('messages.gen.json'), layOut(recorded));
socket.close();

/** A line a message. */
function layOut(all: Record<string, Brief[][]>): string {
  const turn = (said: Brief[]) =>
    `  [\n${said.map((brief) => `   ${JSON.stringify(brief)}`).join(',\n')}\n  ]`;
  const graph = ([name, turns]: [string, Brief[][]]) =>
    ` ${JSON.stringify(name)}: [\n${turns.map(turn).join(',\n')}\n ]`;
  return `{\n${Object.entries(all).map(graph).join(',\n')}\n}\n`;
}
