import { describe, expect, test } from 'vitest';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { convertWorkflow } from '../../nodes/workflow/convert-workflow.ts';
import { caseDefinitions, readCases } from './cases.ts';

const definitions = caseDefinitions();
const cases = readCases();

test('there are pairs of every kind', () => {
  expect(cases.length).toBeGreaterThanOrEqual(10);
  expect(cases.filter(({ frontEnds }) => frontEnds.length > 0).length).toBeGreaterThanOrEqual(10);
});

describe.each(cases)('fixtures/workflows/$name', ({ workflow, prompt, warnings, frontEnds, read }) => {
  test('converts to its prompt, and says what it could not carry', () => {
    const { warn, list } = createWarningLog();
    const converted = convertWorkflow(workflow, definitions, { texts: 'as-edited' }, warn);
    expect(converted).toEqual(prompt);
    expect(list.map(({ code }) => code).sort()).toEqual(warnings);
  });

  test('says where its prompt comes from', () => {
    expect(frontEnds.length > 0 || read !== undefined).toBe(true);
  });
});
