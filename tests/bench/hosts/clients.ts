import type { Measurement } from '../measure.ts';
import type { BenchGraph } from './session.ts';
import { openSession } from './session.ts';

const CLIENTS = 100;
const PROMPTS_EACH = 10;
/** What a client must hear of a prompt of three nodes, one of them an output node. */
const EXPECTED: Readonly<Record<string, number>> = {
  execution_start: 1,
  execution_cached: 1,
  executing: 4,
  executed: 1,
  execution_success: 1,
};

/** 100 clients queue 1,000 prompts at once; every one must hear all of its own, in order, and nothing of others'. */
export async function measureClients(url: string): Promise<readonly Measurement[]> {
  const sessions = await Promise.all(Array.from({ length: CLIENTS }, () => openSession(url)));
  const start = performance.now();
  let lost = 0;
  await Promise.all(
    sessions.map(async (session, client) => {
      const ids: string[] = [];
      for (let i = 0; i < PROMPTS_EACH; i++) ids.push(await session.post(threeNodes(`${client}.${i}`)));
      for (const id of ids) {
        const heard = await session.ended(id);
        for (const [type, count] of Object.entries(EXPECTED))
          lost += Math.abs(count - heard.filter((message) => message.type === type).length);
        if (heard[0]?.type !== 'execution_start' || heard.at(-1)?.data['node'] !== null) lost++;
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  for (const session of sessions) session.close();
  const total = CLIENTS * PROMPTS_EACH;
  return [
    {
      name: `embedded: messages lost, ${CLIENTS} clients, ${total} prompts`,
      value: lost,
      unit: '',
      goal: '0',
      ok: lost === 0,
    },
    { name: `embedded: prompts of three nodes, ${CLIENTS} clients`, value: total / seconds, unit: '1/s' },
  ];
}

function threeNodes(salt: string): BenchGraph {
  return {
    a: { class_type: 'BenchStart', inputs: { salt } },
    b: { class_type: 'BenchEmpty', inputs: { value: ['a', 0], salt: '' } },
    c: { class_type: 'BenchEnd', inputs: { value: ['b', 0] } },
  };
}
