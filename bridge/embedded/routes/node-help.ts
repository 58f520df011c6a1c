import { Router } from 'express';
import type { GraphNode } from '../../../nodes/kit/graph-node.ts';
import type { InputSpec } from '../../../nodes/kit/input-spec.ts';
import { pathText, ROUTING, sendNothing } from '../http/answer.ts';
import type { NodeTable } from '../nodes/node-table.ts';

/**
 * Help pages of nodes, as ComfyUI's front end asks for them beside a selected node: `/docs/{class}/{language}.md` and, for
 * nodes of packs, `/extensions/{pack}/docs/{class}.md`. Made of what the nodes say of themselves, so they are always
 * there; a page that a pack brings as a file is served before them.
 */
export function nodeHelpRoutes(nodes: NodeTable): Router {
  const router = Router(ROUTING);
  router.get(
    ['/docs/:node/:page', '/extensions/:pack/docs/:node/:page', '/extensions/:pack/docs/:page'],
    (request, response) => {
      const page = pathText(request, 'page');
      const node = nodes.get(pathText(request, 'node') || page.replace(/\.md$/, ''));
      if (!node || !page.endsWith('.md')) return sendNothing(response, 404);
      response.type('text/markdown').send(describe(node));
    },
  );
  return router;
}

function describe(node: GraphNode): string {
  const inputs = Object.entries({ ...node.required, ...node.optional });
  const outputs = node.outputs.map(({ name, type, tooltip = '' }) => row(name, type, tooltip));
  return [
    `# ${node.title}\n\n${node.description}`,
    inputs.length > 0 && table('Inputs', inputs.map(inputRow)),
    outputs.length > 0 && table('Outputs', outputs),
  ]
    .filter((part) => part !== false)
    .join('\n\n')
    .concat('\n');
}

function table(title: string, rows: readonly string[]): string {
  return [`## ${title}\n`, '| name | type | |', '|---|---|---|', ...rows].join('\n');
}

function inputRow([name, { type, options }]: readonly [string, InputSpec]): string {
  const tooltip = options['tooltip'];
  return row(name, typeof type === 'string' ? type : 'COMBO', typeof tooltip === 'string' ? tooltip : '');
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replace(/[\\|]/g, '\\$&').replace(/\s+/g, ' ')).join(' | ')} |`;
}
