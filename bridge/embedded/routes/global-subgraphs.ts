import { join } from 'node:path';
import { Router } from 'express';
import { hashText } from '../../local/hash-text.ts';
import { jsonNamesOf, PACK_NAME, readPackJson } from '../files/pack-folder.ts';
import { answering, pathText, ROUTING } from '../http/answer.ts';
import type { Log } from '../log.ts';

/**
 * `GET /global_subgraphs`: the subgraphs that the pack brings (`subgraphs/*.json`), by id; `…/{id}` one with its graph as
 * a text in `data`, or null.
 * @see ComfyUI 618b803d app/subgraph_manager.py
 */
export function globalSubgraphRoutes(packRoot: string, log: Log): Router {
  const folder = join(packRoot, 'subgraphs');
  const entryOf = (name: string) => ({
    source: 'custom_node',
    name,
    info: { node_pack: `custom_nodes.${PACK_NAME}` },
  });
  const router = Router(ROUTING);
  router.get(
    '/global_subgraphs',
    answering(async (_request, response) => {
      const names = await jsonNamesOf(folder);
      response.json(Object.fromEntries(names.map((name) => [idOf(name), entryOf(name)])));
    }),
  );
  router.get(
    '/global_subgraphs/:id',
    answering(async (request, response) => {
      const id = pathText(request, 'id');
      const name = (await jsonNamesOf(folder)).find((each) => idOf(each) === id);
      const graph = name === undefined ? undefined : await readPackJson(folder, `${name}.json`, log);
      response.json(
        name === undefined || graph === undefined ? null : { ...entryOf(name), data: JSON.stringify(graph) },
      );
    }),
  );
  return router;
}

/** The same in every run and on every machine. */
function idOf(name: string): string {
  return hashText(`${PACK_NAME}/subgraphs/${name}`);
}
