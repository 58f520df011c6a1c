import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

/** `LINEAGE_CHROMIUM`, or where Linux distributions put it. */
const CHROMIUM = [
  process.env['LINEAGE_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

const found = CHROMIUM.find((path) => path !== undefined && existsSync(path));
if (found === undefined) {
  if (process.env['LINEAGE_REQUIRE_PEERS'] === '1') throw new Error('Chromium is required here');
  console.warn('skipped: tests that need Chromium, which is not installed (LINEAGE_CHROMIUM names it)');
}

/** Whether there is a browser to test with. */
export const hasBrowser = found !== undefined;

/** Starts it without a window. Whoever starts it closes it. */
export async function startBrowser(): Promise<Browser> {
  if (found === undefined) throw new Error('no Chromium');
  // A container's user may not make sandboxes; the pages are ours.
  return await chromium.launch({ executablePath: found, args: ['--no-sandbox'] });
}

/** Everything that went wrong on a page: exceptions, and errors that the browser reports (CSP, missing files). */
export function watchFaults(page: Page): string[] {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  return faults;
}
