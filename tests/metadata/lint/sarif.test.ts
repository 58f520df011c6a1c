import { expect, test } from 'vitest';
import { z } from 'zod';
import { LINT_RULES, lintPicture } from '../../../nodes/metadata/lint/lint-picture.ts';
import { toSarif } from '../../../nodes/metadata/lint/sarif.ts';
import { full, infotext, png } from './pictures.ts';

/** RFC 3986, as far as it forbids characters. */
const uriReference = z.string().regex(/^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9A-F]{2})+$/);
const level = z.enum(['none', 'note', 'warning', 'error']);
const multiformatMessage = z.strictObject({ text: z.string().min(1) });

/**
 * What SARIF 2.1.0 asks of the objects that we write, by section of the standard. Strict, so that a member that the
 * standard does not name there is a fault.
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
 */
const sarif = z
  // 3.13 sarifLog: version and runs are required.
  .strictObject({
    $schema: z.url(),
    version: z.literal('2.1.0'),
    runs: z.array(
      // 3.14 run: tool is required.
      z.strictObject({
        tool: z.strictObject({
          // 3.18 tool, 3.19 toolComponent: name is required.
          driver: z.strictObject({
            name: z.string().min(1),
            version: z.string(),
            informationUri: z.url(),
            // 3.49 reportingDescriptor: id is required; name has no spaces by 3.49.7.
            rules: z.array(
              z.strictObject({
                id: z.string().min(1),
                name: z.string().min(1),
                shortDescription: multiformatMessage,
                help: multiformatMessage,
                // 3.50 reportingConfiguration.
                defaultConfiguration: z.strictObject({ level }),
              }),
            ),
          }),
        }),
        columnKind: z.enum(['utf16CodeUnits', 'unicodeCodePoints']),
        // 3.27 result: message is required; ruleIndex is that of the rule with ruleId.
        results: z.array(
          z.strictObject({
            ruleId: z.string(),
            ruleIndex: z.int().min(0),
            level,
            message: z.strictObject({ text: z.string().min(1) }),
            locations: z.array(
              z.strictObject({
                physicalLocation: z.strictObject({ artifactLocation: z.strictObject({ uri: uriReference }) }),
              }),
            ),
          }),
        ),
      }),
    ),
  })
  .superRefine(({ runs }, context) => {
    for (const { tool, results } of runs) {
      const ids = tool.driver.rules.map(({ id }) => id);
      if (new Set(ids).size !== ids.length) context.addIssue('ids of rules are not unique');
      for (const { ruleId, ruleIndex } of results)
        if (ids[ruleIndex] !== ruleId) context.addIssue(`${ruleId} is not at ${ruleIndex}`);
    }
  });

const tool = { name: 'Lineage', version: '0.1.0', informationUri: 'https://example.org/lineage' };

test('findings are SARIF 2.1.0, whatever the files are called', async () => {
  const findings = lintPicture(await png({ parameters: infotext({ 'CFG scale': 'None' }) }));
  const names = ['a.png', 'sub folder/ä 100%.png', '/root/a#b.png', 'C:\\pictures\\a.png', '../b.png'];
  const files = [
    ...names.map((file) => ({ file, findings })),
    { file: 'c.png', findings: lintPicture(await full()) },
  ];
  const log = sarif.parse(JSON.parse(JSON.stringify(toSarif(files, LINT_RULES, tool))));
  const results = log.runs[0]?.results ?? [];
  const uris = [
    ...new Set(results.map(({ locations }) => locations[0]?.physicalLocation.artifactLocation.uri)),
  ];
  expect(uris).toEqual([
    'a.png',
    'sub%20folder/%C3%A4%20100%25.png',
    'file:///root/a%23b.png',
    'file:///C:/pictures/a.png',
    '../b.png',
    'c.png',
  ]);
  expect(results.find(({ ruleId }) => ruleId === 'M106')?.level).toBe('error');
});

test('what is found and why are said once where they are the same', async () => {
  const files = [{ file: 'a.png', findings: lintPicture(await png({ prompt: '{}' })) }];
  const [run] = sarif.parse(JSON.parse(JSON.stringify(toSarif(files, LINT_RULES, tool)))).runs;
  expect(run?.results.find(({ ruleId }) => ruleId === 'M503')?.message.text).toBe(
    'everything: sd-metadata finds no parameters text and no graph. Write it anew with `lineage tag`.',
  );
});

test('no file and no finding are a log as well', () => {
  expect(sarif.parse(toSarif([], LINT_RULES, tool)).runs[0]?.results).toEqual([]);
});
