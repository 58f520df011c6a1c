import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildView } from '../../bridge/build/build-web.ts';
import { createRuleStore } from '../../bridge/local/rule-store.ts';
import { startViewServer, type ViewServer } from '../../bridge/view/view-server.ts';
import { exampleGraph, internationalChunk, putImage, putJson, withChunks } from '../bridge/cli/pictures.ts';
import { EXAMPLES, newFolder, tag } from '../bridge/cli/run.ts';
import { hasBrowser, startBrowser, watchFaults } from './browser.ts';

/** Where the pictures of the screen go, for people to look at. */
const SCREENS = fileURLToPath(new URL('../../out/view/', import.meta.url));
/** What would run, where any of it were read as HTML, as an attribute or as an address. */
const HOSTILE = [
  '<img src=x onerror="window.ran=1">',
  '<svg onload=window.ran=1></svg><script>window.ran=1</script>',
  '" onmouseover="window.ran=1" x="',
  "'><iframe srcdoc='<script>parent.ran=1</script>'>",
  'javascript:window.ran=1',
  ']]></text><script>window.ran=1</script>',
].join(' ');
const HOSTILE_NAME = `<img src=x onerror=window.ran=1> "' &amp; \u202egnp.png`;

beforeAll(async () => {
  mkdirSync(SCREENS, { recursive: true });
  await buildView(new URL('../../web/dist/view/', import.meta.url));
});

describe.skipIf(!hasBrowser)('the page of lineage view', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  }, 60_000);
  afterAll(() => browser?.close());

  /** Shows these files for as long as the test runs. */
  async function serve(...files: readonly string[]): Promise<ViewServer> {
    const server = await startViewServer({
      files,
      port: 0,
      rules: createRuleStore(join(newFolder(), 'rules')),
      maxBytes: 1e8,
      closedForMs: 60_000,
      deserted: () => {},
      note: (text) => expect.fail(text),
    });
    onTestFinished(() => server.close());
    return server;
  }

  async function open(
    url: string,
    options: Parameters<Browser['newPage']>[0] = {},
  ): Promise<{ page: Page; faults: string[] }> {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, ...options });
    onTestFinished(() => page.close());
    const faults = watchFaults(page);
    await page.goto(url);
    await page.locator('#side figure').waitFor();
    return { page, faults };
  }

  /** Ids of the nodes that are lit, in the order of the drawing. */
  const litNodes = (page: Page): Promise<string[]> =>
    page.evaluate(`[...document.querySelectorAll('.node.on-way')].map((node) => node.dataset.node)`);
  const litLinks = (page: Page): Promise<string[]> =>
    page.evaluate(
      `[...document.querySelectorAll('.link.on-way')].map(({ dataset }) => dataset.from + '>' + dataset.to)`,
    );
  const field = (page: Page, group: string, name: string) =>
    page.getByRole('list', { name: group, exact: true }).getByRole('button', { name, exact: true });

  /** A tagged picture, and what the command that tagged it says of it. */
  async function tagged(name: string, prompt: string, folder = newFolder()) {
    await putImage(folder, 'bare.png', 'png');
    const document = await tag(folder, 'bare.png', '--prompt', prompt, '--out', name);
    return { file: join(folder, name), document };
  }
  const base = (folder?: string) =>
    tagged('base-refiner.png', join(EXAMPLES, 'sdxl-base-refiner.json'), folder);

  test('shows the picture, and the fields as its record has them', async () => {
    const { file, document } = await base();
    const { page, faults } = await open((await serve(file)).url);
    // The picture itself, decoded.
    await page.waitForFunction(`(({ naturalWidth, naturalHeight }) => naturalWidth === 24 && naturalHeight === 16)(
      document.querySelector('figure img'))`);
    const shown = await page.evaluate<[string, string][]>(`[...document.querySelectorAll('.field')]
      .map((row) => [row.dataset.field, row.querySelector('.field-value').textContent])`);
    // The page spells numbers as the graph does; JSON.parse made 6 of 6.0.
    const plain = shown.map(([name, value]) => [name, value.replace(/^(\d+)\.0$/, '$1')]);
    const recorded = document.fields.map((fact): [string, string] => [fact.field, String(fact.value)]);
    expect(plain).toHaveLength(recorded.length);
    expect(plain).toEqual(expect.arrayContaining(recorded));
    // The seed of the graph, digit by digit.
    expect(shown).toContainEqual(['SEED', '721897303308196']);
    await page.getByText('24 × 16 · PNG').waitFor();
    expect(await page.locator('.lineage-reader').count()).toBe(6);
    await page.screenshot({ path: join(SCREENS, 'light.png') });
    expect(faults).toEqual([]);
  });

  // By hand, from the links in fixtures/examples/metadata/sdxl-base-refiner.json.
  test.each([
    ['Sampler 10', 'seed', '10>11 11>17 17>19'],
    ['Sampler 10', 'model name', '4>20 20>10 10>11 11>17 17>19'],
    ['Sampler 10', 'lora strength clip', '20>6 6>10 10>11 11>17 17>19'],
    ['Sampler 11', 'negative prompt', '16>11 11>17 17>19'],
    ['The picture', 'vae name', '22>17 17>19'],
  ])('%s, %s: the focus lights exactly its way', async (group, name, way) => {
    const { page } = await open((await serve((await base()).file)).url);
    expect(await litNodes(page)).toEqual([]);
    await field(page, group, name).focus();
    const links = way.split(' ');
    const nodes = new Set(links.flatMap((link) => link.split('>')));
    expect((await litNodes(page)).toSorted()).toEqual([...nodes].toSorted());
    expect((await litLinks(page)).toSorted()).toEqual(links.toSorted());
    await field(page, group, name).blur();
    expect(await litNodes(page)).toEqual([]);
  });

  test('the pointer lights a way as well, and a press keeps it until Escape', async () => {
    const { page } = await open((await serve((await base()).file)).url);
    await page.locator('.field[data-field=VAE_NAME]').hover();
    expect((await litNodes(page)).toSorted()).toEqual(['17', '19', '22']);
    await field(page, 'The picture', 'vae name').click();
    await page.mouse.move(5, 5);
    await page.getByRole('button', { name: 'vae name', pressed: true }).waitFor();
    expect((await litNodes(page)).toSorted()).toEqual(['17', '19', '22']);
    await page.locator('.sampler').first().hover();
    expect(await litNodes(page)).toEqual(['10']);
    await page.mouse.move(5, 5);
    expect((await litNodes(page)).toSorted()).toEqual(['17', '19', '22']);
    await page.screenshot({ path: join(SCREENS, 'way.png') });
    await page.keyboard.press('Escape');
    expect(await litNodes(page)).toEqual([]);
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('image width');
  });

  test('a node under the pointer marks the fields that it gave', async () => {
    const { page } = await open((await serve((await base()).file)).url);
    await page.locator('.node[data-node="20"]').hover();
    const marked = await page.evaluate<string[]>(
      `[...document.querySelectorAll('.field.of-node')].map((row) => row.dataset.field)`,
    );
    expect(marked.toSorted()).toEqual(['LORA_MODEL_NAME', 'LORA_STRENGTH_CLIP', 'LORA_STRENGTH_MODEL']);
  });

  test('the axis gives each sampler its share of the steps', async () => {
    const { page } = await open((await serve((await base()).file)).url);
    const bars = await page.evaluate(`[...document.querySelectorAll('.sampler')].map((row) => {
      const [run, part] = ['.run', '.part'].map((name) => row.querySelector(name).getBoundingClientRect());
      const node = row.querySelector('.lineage-node').textContent;
      return [node, Math.round(((part.left - run.left) / run.width) * 30), Math.round((part.width / run.width) * 30)];
    })`);
    // start_at_step 0, end_at_step 24 of 30; then 24 to the end.
    expect(bars).toEqual([
      ['10', 0, 24],
      ['11', 24, 6],
    ]);
    await page.getByRole('img', { name: 'steps 0 to 23 of 30' }).waitFor();
    await page.getByRole('img', { name: 'steps 24 to 29 of 30' }).waitFor();
  });

  test('several files are switched between, by the keyboard too; the address says which', async () => {
    const folder = newFolder();
    const first = await base(folder);
    const second = await tagged('two-stage.png', join(EXAMPLES, 'wan22-two-stage.json'), folder);
    const bare = join(folder, 'bare.jpg');
    await putImage(folder, 'bare.jpg', 'jpeg');
    const { page, faults } = await open((await serve(first.file, second.file, bare)).url);
    const files = page.getByRole('navigation', { name: 'Files' });
    expect(await files.getByRole('link').allTextContents()).toEqual([
      'base-refiner.png',
      'two-stage.png',
      'bare.jpg',
    ]);
    await files.getByRole('link', { name: 'two-stage.png' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('.node[data-node="37"]').waitFor();
    expect(page.url()).toMatch(/#2$/);
    expect(await page.title()).toContain('two-stage.png');
    await page.screenshot({ path: join(SCREENS, 'files.png') });
    await files.getByRole('link', { name: 'bare.jpg' }).click();
    await page.getByText('It carries no generation metadata.').waitFor();
    await page.getByText('The file carries no graph.').waitFor();
    await page.goBack();
    await page.locator('.node[data-node="37"]').waitFor();
    expect(faults).toEqual([]);
  });

  test('texts of a stranger stay texts', async () => {
    const graph = exampleGraph();
    const named = graph as Record<string, (typeof graph)[string] & { _meta?: { title: string } }>;
    named['6']!.inputs['text'] = HOSTILE;
    named['4']!.inputs['ckpt_name'] = HOSTILE;
    named['7']!._meta = { title: HOSTILE };
    named[HOSTILE] = { class_type: HOSTILE, inputs: { [HOSTILE]: ['4', 0] } };
    const folder = newFolder();
    const { file, document } = await tagged(HOSTILE_NAME, putJson(folder, 'graph.json', graph), folder);
    const { page, faults } = await open((await serve(file, file)).url);
    await page.locator('.node').first().waitFor();
    const prompt = await page
      .locator('.field[data-field=POSITIVE_PROMPT] .field-value')
      .first()
      .textContent();
    expect(prompt).toBe(document.fields.find((fact) => fact.field === 'POSITIVE_PROMPT')?.value);
    expect(prompt).toBe(HOSTILE);
    expect(await page.locator('.file-name').textContent()).toBe(file);
    const labels = await page.locator('.node title').allTextContents();
    expect(labels).toContain(`${HOSTILE}\n#${HOSTILE}`);
    for (const summary of await page.locator('summary').all()) await summary.click();
    for (const row of await page.locator('.field').all()) await row.hover();
    expect(
      await page.evaluate(
        `[window.ran, ...document.querySelectorAll('main img:not(figure > img), iframe, body script, svg script, [onerror], [onload], [onmouseover]')].length`,
      ),
    ).toBe(1);
    expect(await page.evaluate('window.ran')).toBe(undefined);
    await page.screenshot({ path: join(SCREENS, 'hostile.png'), fullPage: true });
    expect(faults).toEqual([]);
  });

  test('what cannot be read is said, and what can is shown', async () => {
    const folder = newFolder();
    const image = await putImage(folder, 'a.png', 'png');
    const file = join(folder, 'two-ends.png');
    const save = (from: string) => ({
      class_type: 'SaveImage',
      inputs: { filename_prefix: 'x', images: [from, 0] },
    });
    const graph = { 1: { class_type: 'EmptyImage', inputs: {} }, 2: save('1'), 3: save('1') };
    writeFileSync(file, withChunks(image, [internationalChunk('prompt', JSON.stringify(graph))]));
    const { page } = await open((await serve(file)).url);
    await page.getByRole('alert').getByText('got 2 (SaveImage), 3 (SaveImage)').first().waitFor();
    expect(await page.locator('.node').count()).toBe(3);
    expect(await page.locator('.lineage-reader').count()).toBe(6);
  });

  test('dark, narrow and without a mouse', async () => {
    const { url } = await serve((await base()).file);
    const { page } = await open(url, { colorScheme: 'dark', viewport: { width: 420, height: 800 } });
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(420);
    const dark = await page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    expect(dark).toBe('rgb(20, 21, 27)');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the fields');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('seed');
    expect((await litNodes(page)).toSorted()).toEqual(['10', '11', '17', '19']);
    await page.screenshot({ path: join(SCREENS, 'narrow.png') });
  });

  test('says when its server has ended', async () => {
    const server = await serve((await base()).file);
    const { page } = await open(server.url);
    await page.locator('.node').first().waitFor();
    await server.close();
    await page.getByRole('status').getByText('has ended').waitFor();
  });

  test('without the token, or with another, nothing is there', async () => {
    const { url } = await serve((await base()).file);
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    for (const wrong of [new URL('/', url).href, new URL(`/${'x'.repeat(32)}/`, url).href]) {
      const answer = await page.goto(wrong);
      expect(answer?.status()).toBe(401);
      expect(await page.locator('img, script').count()).toBe(0);
    }
  });
});

test('the page holds no script, style or handler of its own in the HTML', () => {
  const html = readFileSync(new URL('../../web/dist/view/index.html', import.meta.url), 'utf8');
  expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|https?:/);
});
