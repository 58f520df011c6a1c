import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { startRuntime } from '../../bridge/embedded/start-runtime.ts';
import { startBrowser } from '../web/browser.ts';
import { ownClasses } from './cases.ts';

const CORE = new URL('../../nodes/workflow/core-object-info.jsonl', import.meta.url);

/** Builds of ComfyUI's own front end that this machine has, as `LINEAGE_FRONT_ENDS` names them, with their versions. */
export const FRONT_ENDS: readonly { readonly folder: string; readonly version: string }[] = (
  process.env['LINEAGE_FRONT_ENDS'] ?? ''
)
  .split(delimiter)
  .filter((folder) => folder !== '' && existsSync(join(folder, 'index.html')))
  .map((folder) => ({ folder, version: /\d+\.\d+\.\d+/.exec(folder)?.[0] ?? folder }));

/** A front end in a browser that knows ComfyUI's classes and our own. */
export type RealFrontEnd = {
  /** Loads a workflow as a person would open it, and gives the prompt that would be queued. */
  convert(workflow: unknown): Promise<unknown>;
  close(): Promise<void>;
};

/** Starts the embedded runtime with a build of the front end, and opens it in Chromium. */
export async function openFrontEnd(frontEndRoot: string): Promise<RealFrontEnd> {
  const folder = mkdtempSync(join(tmpdir(), 'lineage-workflows-'));
  const runtime = await startRuntime({
    base: folder,
    port: 0,
    store: ':memory:',
    write: () => {},
    frontEndRoot,
  });
  // Someone new would be shown a gallery of templates first.
  await fetch(`${runtime.url}/settings`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"Comfy.TutorialCompleted":true}',
  });
  const browser = await startBrowser();
  const page = await browser.newPage();
  const body = JSON.stringify(allClasses());
  await page.route('**/object_info*', (route) => route.fulfill({ contentType: 'application/json', body }));
  await page.goto(runtime.url);
  await page.waitForFunction('window.app?.extensionManager && window.app.graph && window.app.graphToPrompt');
  await page.locator('canvas#graph-canvas').waitFor();
  return {
    async convert(workflow) {
      const text = JSON.stringify(workflow);
      await page.evaluate(`window.app.loadGraphData(${text}, true, true, 'case')`);
      // Reroutes and growing groups settle in the next frames.
      await page.evaluate('new Promise((done) => setTimeout(done, 300))');
      const prompt = await page.evaluate<string>(
        'window.app.graphToPrompt().then(({ output }) => JSON.stringify(output))',
      );
      return JSON.parse(prompt);
    },
    async close() {
      await browser.close();
      await runtime.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** With the members that no conversion depends on, but without which the front end refuses a class. */
function allClasses(): object {
  const lines = readFileSync(CORE, 'utf8').trim().split('\n');
  const core = lines.map((line): [string, object] => {
    const { name, ...entry } = JSON.parse(line);
    return [name, entry];
  });
  const own = Object.entries(ownClasses()).map(([name, entry]): [string, object] => [name, Object(entry)]);
  return Object.fromEntries([...core, ...own].map(([name, entry]) => [name, fill(name, entry)]));
}

function fill(
  name: string,
  entry: { readonly output?: readonly unknown[]; readonly display_name?: string },
): object {
  const output = entry.output ?? [];
  return {
    ...{ display_name: name, description: '', category: 'case', python_module: 'nodes', output_node: false },
    ...entry,
    name,
    output,
    output_name: output.map(String),
    output_is_list: output.map(() => false),
  };
}
