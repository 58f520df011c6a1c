import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasBrowser } from '../web/browser.ts';
import { readCases } from './cases.ts';
import { FRONT_ENDS, openFrontEnd, type RealFrontEnd } from './real-front-end.ts';

if (FRONT_ENDS.length === 0)
  console.warn('skipped: workflows in the official front end, since LINEAGE_FRONT_ENDS names no build of it');
/** The front end is 30 MB of scripts. */
const START_MS = 60_000;
const cases = readCases();

/** What the fixtures say of builds of the front end is what these give. */
describe
  .skipIf(FRONT_ENDS.length === 0 || !hasBrowser)
  .each(FRONT_ENDS.length > 0 ? FRONT_ENDS : [{ folder: '', version: 'absent' }])(
  'the front end $version',
  ({ folder, version }) => {
    let frontEnd: RealFrontEnd;
    beforeAll(async () => {
      frontEnd = await openFrontEnd(folder);
    }, START_MS);
    afterAll(async () => await frontEnd?.close());

    const named = cases.filter(({ frontEnds }) => frontEnds.includes(version));
    test.each(named)(
      'queues $name as recorded',
      async ({ workflow, prompt }) => {
        expect(await frontEnd.convert(workflow)).toEqual(JSON.parse(JSON.stringify(prompt)));
      },
      START_MS,
    );

    test('is a build that a fixture names', () => {
      expect(named.length).toBeGreaterThan(0);
    });
  },
);
