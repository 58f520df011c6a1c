import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildPage } from '../../bridge/build/build-web.ts';
import { type Runtime, startRuntime } from '../../bridge/embedded/start-runtime.ts';
import { hasBrowser, startBrowser, watchFaults } from './browser.ts';

const DUSK = fileURLToPath(new URL('../../fixtures/examples/metadata/dusk.jpg', import.meta.url));
const NODES = fileURLToPath(new URL('nodes/', import.meta.url));
/** Where the pictures of the screen go, for people to look at. */
const SCREENS = fileURLToPath(new URL('../../out/page/', import.meta.url));
/** Beyond a double. */
const LONG = '9007199254740993';

/** A graph that draws and saves; the seed is only carried along. */
const graph = (width: number | string, prefix = 'page/blue'): string =>
  `{"1":{"class_type":"EmptyImage","inputs":{"width":${width},"height":48,"batch_size":1,"color":255}},
    "2":{"class_type":"LineageSaveImage","_meta":{"title":"Save it"},"inputs":{"images":["1",0],
    "filename_prefix":"${prefix}","file_format":"png","sampler_selection_method":"range","note":${LONG}}}}`;

beforeAll(() => buildPage(new URL('../../web/dist/page/', import.meta.url)));

describe.skipIf(!hasBrowser)('our own page', () => {
  let folder: string;
  let runtime: Runtime;
  let browser: Browser;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lineage-page-'));
    runtime = await startRuntime({
      base: folder,
      port: 0,
      store: ':memory:',
      nodes: [NODES],
      write: () => {},
    });
    browser = await startBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await runtime?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(fragment = ''): Promise<{ page: Page; faults: string[] }> {
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const faults = watchFaults(page);
    await page.goto(`${runtime.url}/${fragment}`);
    await page.getByText('Connected', { exact: true }).waitFor();
    return { page, faults };
  }

  async function queue(page: Page, text: string): Promise<void> {
    await page.getByRole('textbox', { name: 'New run' }).fill(text);
    await page.getByRole('button', { name: 'Queue' }).click();
  }

  test('a pasted graph runs, and its picture opens with what it says', async () => {
    const { page, faults } = await open();
    await queue(page, graph(64));
    await page.getByText('Queued.', { exact: true }).waitFor();
    await page.getByRole('button', { name: /blue_00001_/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Picture' });
    await dialog.getByText('64 × 48 · PNG · node 2').waitFor();
    await dialog.getByRole('heading', { name: 'Who sees what' }).waitFor();
    expect(await dialog.locator('.lineage-reader').count()).toBe(6);
    await dialog.getByText('EmptyImage.width').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(faults).toEqual([]);
  });

  test('of a picture that is gone it is said why nothing is shown, once', async () => {
    const { page } = await open();
    await queue(page, graph(64, 'page/gone'));
    const card = page.getByRole('button', { name: /gone_00001_/ });
    await card.waitFor();
    rmSync(join(folder, 'output/page/gone_00001_.png'));
    await card.click();
    const alert = page.getByRole('dialog', { name: 'Picture' }).getByRole('alert');
    await alert.getByText('expected a file in the output folder, got none of this name').waitFor();
    expect(await alert.count()).toBe(1);
  });

  test('numbers reach the server as they were typed', async () => {
    const { page } = await open();
    const sent = page.waitForRequest((request) => request.url().endsWith('/api/prompt'));
    await queue(page, graph('64', 'page/exact'));
    expect((await sent).postData()).toContain(`"note":${LONG}`);
  });

  test('a refused graph says which node and why', async () => {
    const { page } = await open();
    await queue(page, graph(-5));
    const alert = page.getByRole('alert');
    await alert.getByText('Prompt outputs failed validation').waitFor();
    await alert.getByText('EmptyImage').waitFor();
    await alert.getByText(/Value -5 smaller than min of 1: width/).waitFor();
  });

  test.each([
    ['{', /This is no JSON/],
    ['[1]', /Expected a JSON object/],
    ['{"nodes":[]}', /This is a workflow of the editor/],
    ['{"a":1}', /Expected nodes with a class_type/],
  ])('%s is told apart', async (text, message) => {
    const { page } = await open();
    await queue(page, text);
    await page.getByRole('alert').getByText(message).waitFor();
  });

  test('a picture brings its graph; what this server lacks is said', async () => {
    const { page } = await open();
    await page.locator('#compose-file').setInputFiles(DUSK);
    // Its graph needs a checkpoint loader, which needs torch.
    await page
      .getByRole('alert')
      .getByText(/not found|does not exist/)
      .waitFor();
  });

  test('a dropped file is taken', async () => {
    const { page } = await open();
    const text = JSON.stringify(graph(64, 'page/dropped'));
    await page.evaluate(`(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([${text}], 'graph.json', { type: 'application/json' }));
      const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
      document.body.dispatchEvent(new DragEvent('drop', options));
    })()`);
    await page.getByRole('button', { name: /dropped_00001_/ }).waitFor();
  });

  test('a failed run shows what its node said', async () => {
    const { page } = await open();
    const text =
      '{"1":{"class_type":"LineageSaveImage","inputs":{"images":["2",0],"filename_prefix":"../out","file_format":"png","sampler_selection_method":"range"}},"2":{"class_type":"EmptyImage","inputs":{"width":8,"height":8,"batch_size":1,"color":0}}}';
    await queue(page, text);
    await page.getByText('LineageSaveImage failed').waitFor();
    await page
      .getByText(/output\/outside|inside the output folder/)
      .first()
      .waitFor();
  });

  test('a run shows its progress and preview; it and those that wait can be stopped', async () => {
    const { page } = await open();
    const hold = (height: number): string =>
      `{"1":{"class_type":"EmptyImage","inputs":{"width":96,"height":${height},"batch_size":1,"color":4227327}},
        "2":{"class_type":"LineageTestHold","_meta":{"title":"Wait for me"},"inputs":{"images":["1",0]}}}`;
    for (const height of [40, 48, 56]) {
      const answered = page.waitForResponse((response) => response.url().endsWith('/api/prompt'));
      await queue(page, hold(height));
      await answered;
    }
    const running = page.getByRole('article', { name: 'Running' });
    await running.getByText('Wait for me').waitFor();
    await running.getByText('1 of 2 nodes · step 3 of 10').waitFor();
    await running.getByRole('img', { name: 'Preview' }).waitFor();
    await expect.poll(() => page.evaluate(`document.querySelector('.preview').naturalHeight`)).toBe(40);
    await page.screenshot({ path: `${SCREENS}running.png` });

    await page
      .getByRole('button', { name: /^Cancel run/ })
      .first()
      .click();
    await page.locator('.pending li').nth(1).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^Cancel run/ }).click();
    await page.locator('.pending').waitFor({ state: 'detached' });
    await running.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Nothing is queued.').waitFor();
    await page.getByText(/^Run [0-9a-f]{8} was stopped\.$/).waitFor();
  });

  test('nodes are found by title, id and socket', async () => {
    const { page, faults } = await open('#nodes');
    await page.getByLabel('Find a node').fill('lineage image');
    await page.getByText(/^\d of \d{2,} nodes$/).waitFor();
    await page.getByText('Save Image (Lineage)').click();
    await page.getByText('filename_prefix').waitFor();
    expect(faults).toEqual([]);
  });

  test('all of it can be reached by keyboard, and every control has a name', async () => {
    const { page } = await open();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the pictures');
    const nameless = await page.evaluate(`[...document.querySelectorAll('button, a, input, textarea')]
      .filter((control) => !(control.ariaLabel || control.textContent || control.labels?.length))
      .map((control) => control.outerHTML)`);
    expect(nameless).toEqual([]);
  });

  test('it holds no script, style or handler of its own in the HTML', () => {
    const html = readFileSync(new URL('../../web/dist/page/index.html', import.meta.url), 'utf8');
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|https?:/);
  });
});

describe.skipIf(!hasBrowser)('a server that wants a token', () => {
  test('is entered with it once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lineage-page-'));
    const token = 'a token of more than sixteen characters'.replaceAll(' ', '-');
    const runtime = await startRuntime({ base: folder, port: 0, store: ':memory:', token, write: () => {} });
    const browser = await startBrowser();
    onTestFinished(async () => {
      await browser.close();
      await runtime.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const page = await browser.newPage();
    await page.goto(runtime.url);
    await page.getByLabel('Token').fill('not the token');
    await page.keyboard.press('Enter');
    await page.getByText(/not the token/).waitFor();
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByText('Connected', { exact: true }).waitFor();
    // A session that ends while the page is open is asked for again.
    await page.context().clearCookies();
    // Not by the pointer: whatever else the page asks may have opened the dialog already.
    await page.getByRole('link', { name: 'Nodes' }).dispatchEvent('click');
    const dialog = page.getByRole('dialog', { name: 'Log in' });
    await dialog.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByLabel('Find a node').waitFor();
    // Also by what a button does, once nothing else of the page is asking.
    await page.getByText('Connected', { exact: true }).waitFor();
    await page.waitForLoadState('networkidle');
    await page.context().clearCookies();
    await page.getByRole('textbox', { name: 'New run' }).fill(graph(64));
    await page.getByRole('button', { name: 'Queue' }).click();
    await dialog.getByLabel('Token').waitFor();
  });
});
