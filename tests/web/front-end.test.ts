import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildExtension } from '../../bridge/build/build-web.ts';
import { type Runtime, startRuntime } from '../../bridge/embedded/start-runtime.ts';
import { embedMetadata } from '../../nodes/metadata/embed.ts';
import { makeImage } from '../formats/samples.ts';
import { hasBrowser, startBrowser } from './browser.ts';

/**
 * ComfyUI's own front end on our runtime. It is not ours to ship: `LINEAGE_FRONT_ENDS` names `static` folders of
 * `comfyui-frontend-package` (`pip download --no-deps comfyui-frontend-package`, unpacked), as PATH names folders.
 */
const FRONT_ENDS = (process.env['LINEAGE_FRONT_ENDS'] ?? '')
  .split(delimiter)
  .filter((folder) => folder !== '' && existsSync(join(folder, 'index.html')));
const isThere = FRONT_ENDS.length > 0;
if (!isThere) console.warn('skipped: the official front end, since LINEAGE_FRONT_ENDS names no build of it');
/** Where the pictures of the screen go, for people to look at. */
const SCREENS = fileURLToPath(new URL('../../out/front-end/', import.meta.url));
/** The front end is 30 MB of scripts. */
const START_MS = 60_000;
const DUSK = new URL('../../fixtures/examples/metadata/dusk.jpg', import.meta.url);

/** Draws and saves. The editor's format: the front end makes the prompt of it. */
const WORKFLOW = {
  last_node_id: 2,
  last_link_id: 1,
  nodes: [
    {
      id: 1,
      type: 'EmptyImage',
      pos: [100, 120],
      size: [270, 130],
      flags: {},
      order: 0,
      mode: 0,
      inputs: [],
      outputs: [{ name: 'IMAGE', type: 'IMAGE', links: [1] }],
      properties: {},
      widgets_values: [320, 200, 1, 4_227_327],
    },
    {
      id: 2,
      type: 'LineageSaveImage',
      pos: [450, 120],
      size: [320, 600],
      flags: {},
      order: 1,
      mode: 0,
      inputs: [{ name: 'images', type: 'IMAGE', link: 1 }],
      outputs: [{ name: 'images', type: 'IMAGE', links: [] }],
      properties: {},
      widgets_values: ['screen/azure', 'jpeg'],
    },
  ],
  links: [[1, 1, 0, 2, 0, 'IMAGE']],
  groups: [],
  config: {},
  extra: {},
  version: 0.4,
};

describe.skipIf(!isThere || !hasBrowser).each(isThere ? FRONT_ENDS : ['absent'])(
  'the official front end in %s',
  (frontEnd) => {
    let folder: string;
    let runtime: Runtime;
    let browser: Browser;
    let page: Page;
    const faults: string[] = [];

    beforeAll(async () => {
      await buildExtension(new URL('../../web/dist/comfyui/', import.meta.url));
      mkdirSync(SCREENS, { recursive: true });
      folder = mkdtempSync(join(tmpdir(), 'lineage-front-end-'));
      runtime = await startRuntime({
        base: folder,
        port: 0,
        store: ':memory:',
        write: () => {},
        frontEndRoot: frontEnd,
      });
      // Someone new would be shown a gallery of templates first.
      await fetch(`${runtime.url}/settings`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"Comfy.TutorialCompleted":true}',
      });
      browser = await startBrowser();
      page = await browser.newPage({ viewport: { width: 1400, height: 880 } });
      page.on('pageerror', (error) => faults.push(error.message));
      await page.goto(runtime.url);
      await page.waitForFunction(
        `window.app?.extensionManager && window.app.graph && window.app.extensions.some(({ name }) => name === 'lineage')`,
      );
      await page.locator('canvas#graph-canvas').waitFor();
    }, START_MS);
    afterAll(async () => {
      await browser?.close();
      await runtime?.close();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    });

    /** The types on the canvas, sorted, once they are what is waited for. */
    const waitForTypes = (...types: readonly string[]) =>
      page.waitForFunction(
        `JSON.stringify(window.app.graph.nodes.map(({ type }) => type).sort()) === '${JSON.stringify(types.toSorted())}'`,
      );

    /** The front end's default graph needs nodes that this server lacks, and some builds say so in a dialog. */
    async function closeDialogs(): Promise<void> {
      const dialog = page.locator('.p-dialog-mask');
      while ((await dialog.count()) > 0) {
        await page.keyboard.press('Escape');
        await dialog.first().waitFor({ state: 'detached' });
      }
    }

    /** Drops a file in the middle of the canvas, as a person would. */
    async function drop(bytes: Uint8Array, name: string, type: string): Promise<void> {
      await page.evaluate(`(() => {
      const bytes = Uint8Array.from(atob('${Buffer.from(bytes).toString('base64')}'), (char) => char.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], '${name}', { type: '${type}' }));
      const options = { dataTransfer, bubbles: true, cancelable: true, clientX: 900, clientY: 800 };
      const canvas = document.querySelector('canvas#graph-canvas');
      for (const type of ['dragenter', 'dragover', 'drop']) canvas.dispatchEvent(new DragEvent(type, options));
    })()`);
    }

    test('opens a workflow, queues it, follows its progress and shows the picture', async () => {
      await page.evaluate(`window.app.loadGraphData(${JSON.stringify(WORKFLOW)}, true, true, 'azure')`);
      await waitForTypes('EmptyImage', 'LineageSaveImage');
      await closeDialogs();
      await page.evaluate(`(() => {
      window.heard = [];
      for (const type of ['execution_start', 'progress_state', 'executing', 'executed', 'execution_success'])
        window.app.api.addEventListener(type, ({ detail }) => window.heard.push(type));
    })()`);
      await page.getByRole('button', { name: 'Run', exact: true }).first().click();
      await page.waitForFunction(`window.heard.includes('execution_success')`);
      const heard = new Set(await page.evaluate<string[]>('window.heard'));
      expect(heard).toEqual(
        new Set(['execution_start', 'progress_state', 'executing', 'executed', 'execution_success']),
      );
      // The picture itself, decoded, on the node.
      await page.waitForFunction(
        `window.app.graph.getNodeById(2)?.imgs?.[0]?.naturalWidth === 320 || document.querySelector('img[src*="azure_00001_"]')?.naturalWidth === 320`,
      );
    });

    test('the save node shows who sees what, and the tab how the picture was made', async () => {
      await page.locator('.lineage-host .marks').waitFor();
      await page.locator('.lineage-host .marks').click();
      const tab = page.locator('.sidebar', { has: page.getByRole('heading', { name: 'Lineage' }) });
      await tab.getByText('azure_00001_.jpg', { exact: false }).first().waitFor();
      expect(await tab.locator('.lineage-reader').count()).toBe(6);
      await tab.getByText('EmptyImage.width').waitFor();
      await page.screenshot({ path: join(SCREENS, `${basename(frontEnd)}-saved.png`) });
    });

    test('our marks are no part of the workflow', async () => {
      const saved = await page.evaluate<{ nodes: { id: number; widgets_values: unknown[] }[] }>(
        'window.app.graph.serialize()',
      );
      const values = saved.nodes.find(({ id }) => id === 2)?.widgets_values;
      expect(values?.slice(0, 3)).toEqual(['screen/azure', 'jpeg', 'range']);
      expect(values).toHaveLength(20);
    });

    /** A merge node with these values, as it stands in a workflow; what the front end makes of it for the prompt. */
    async function mergeNodeOf(values: readonly unknown[]): Promise<Readonly<Record<string, unknown>>> {
      const workflow = {
        ...{ last_node_id: 1, last_link_id: 0, links: [], groups: [], config: {}, extra: {}, version: 0.4 },
        nodes: [
          {
            ...{
              id: 1,
              type: 'LineageMerge',
              pos: [300, 120],
              size: [400, 380],
              flags: {},
              order: 0,
              mode: 0,
            },
            ...{ inputs: [], outputs: [], properties: {}, widgets_values: values },
          },
        ],
      };
      await page.evaluate(`window.app.loadGraphData(${JSON.stringify(workflow)}, true, true, 'merge')`);
      await waitForTypes('LineageMerge');
      return await promptOfMerge();
    }

    const promptOfMerge = () =>
      page.evaluate<Readonly<Record<string, unknown>>>(
        `window.app.graphToPrompt().then(({ output }) => output['1'].inputs)`,
      );

    test('a merge method shows its parameters, which reach the prompt', async () => {
      const slerp = ['slerp', 0.25, 'raw', 0.9995];
      const others = { params: '', weights: '', step: '', more: '' };
      expect(await mergeNodeOf([...slerp, '', '', '', ''])).toEqual({
        ...{ method: 'slerp', 'method.t': 0.25, 'method.norms': 'raw', 'method.parallel': 0.9995 },
        ...others,
      });
      await page.screenshot({ path: join(SCREENS, `${basename(frontEnd)}-merge.png`) });
      await page.evaluate(`window.app.graph.getNodeById(1).widgets[0].value = 'dare-linear'`);
      expect(await promptOfMerge()).toEqual({
        ...{ method: 'dare-linear', 'method.density': 0.5, 'method.rescale': 'density', 'method.seed': 0 },
        ...{ 'method.normalize': false, 'method.lambda': 1, ...others },
      });
      await page.evaluate(`window.app.graph.getNodeById(1).widgets[0].value = 'sum'`);
      expect(await promptOfMerge()).toEqual({ method: 'sum', ...others });
    });

    test('a merge node of before its parameters had widgets keeps its values', async () => {
      const others = { params: 'density=0.25', weights: '0.5', step: 'named', more: '{"prune": true}' };
      expect(await mergeNodeOf(['breadcrumbs', ...Object.values(others)])).toEqual({
        ...{ method: 'breadcrumbs', 'method.density': 0.5, 'method.gamma': 0.01, 'method.normalize': false },
        ...{ 'method.lambda': 1, ...others },
      });
    });

    test('a JPEG of ours, dropped, brings its workflow back', async () => {
      const jpeg = readFileSync(join(folder, 'output/screen/azure_00001_.jpg'));
      await page.evaluate('window.app.graph.clear()');
      await waitForTypes();
      await drop(jpeg, 'azure.jpg', 'image/jpeg');
      await waitForTypes('EmptyImage', 'LineageSaveImage');
    });

    test('a seed that the editor rounds is said', async () => {
      const seed = '18446744073709551615';
      const workflow = JSON.stringify(WORKFLOW).replace('4227327', seed);
      expect(workflow).toContain(seed);
      const parameters = { positive: 'azure', negative: '', details: [], hashes: new Map() };
      const request = { parameters, prompt: '{}', workflow, record: '{}', maxExifBytes: 65_535 };
      const { bytes } = embedMetadata(await makeImage('jpeg'), request, () => {});
      await page.evaluate('window.app.graph.clear()');
      await waitForTypes();
      await drop(bytes, 'seed.jpg', 'image/jpeg');
      await waitForTypes('EmptyImage', 'LineageSaveImage');
      // Newer builds say it to screen readers besides.
      await page.getByText(`beyond 2^53 exactly: ${seed}.`).last().waitFor();
    });

    test('one node is pinned at a time, and only one that may sample', async () => {
      await drop(readFileSync(DUSK), 'dusk.jpg', 'image/jpeg');
      // This server lacks the samplers of the picture; the front end keeps them as they were.
      await page.waitForFunction(`window.app.graph.nodes.some(({ type }) => type === 'KSamplerAdvanced')`);
      const pins = await page.evaluate<unknown[]>(`(() => {
      const { getNodeMenuItems } = window.app.extensions.find(({ name }) => name === 'lineage');
      const nodes = window.app.graph.nodes.filter(({ type }) => type === 'KSamplerAdvanced');
      for (const node of nodes) getNodeMenuItems(node)[0].callback();
      const pinned = nodes.map(({ properties }) => properties['lineage.pin'] ?? null);
      getNodeMenuItems(nodes.at(-1))[0].callback();
      const loader = window.app.graph.nodes.find(({ type }) => type === 'VAELoader');
      const offered = getNodeMenuItems(loader).filter(({ content }) => /sampler/i.test(content));
      return [pinned, nodes.at(-1).properties['lineage.pin'] ?? null, offered.length];
    })()`);
      expect(pins).toEqual([[null, 'sampler'], null, 0]);
    });

    test('a node can be said to hold a prompt, and no longer', async () => {
      const marks = await page.evaluate<unknown[]>(`(() => {
      const { getNodeMenuItems } = window.app.extensions.find(({ name }) => name === 'lineage');
      const node = window.LiteGraph.createNode('PrimitiveString');
      window.app.graph.add(node);
      const choose = (words) => getNodeMenuItems(node).find(({ content }) => content.startsWith(words)).callback();
      choose('This is');
      const marked = node.properties['lineage.hint'];
      choose('No longer');
      return [marked, node.properties['lineage.hint'] ?? null];
    })()`);
      expect(marks).toEqual(['positive', null]);
    });

    test('nothing is thrown on the way', () => {
      expect(faults).toEqual([]);
    });
  },
);
