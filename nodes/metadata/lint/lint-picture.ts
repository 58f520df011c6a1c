import { type Container, readContainer } from '../../formats/container.ts';
import { readExif } from '../../formats/exif.ts';
import { isInfotext } from '../../formats/is-infotext.ts';
import { readXmpProperty } from '../../formats/xmp.ts';
import { isLineageError } from '../../kit/errors.ts';
import { type CarriedMetadata, readCarried } from '../carried.ts';
import { DIGITAL_SOURCE } from '../digital-source.ts';
import { parseInfotext } from '../infotext.ts';
import { meantBy } from '../meant.ts';
import { READERS } from '../readers/index.ts';
import { type Loss, tellAlone } from '../readers/losses.ts';
import type { ReaderId, ReaderView } from '../readers/reader.ts';
import { viewFile } from '../readers/view.ts';
import { lossesOf } from '../receipt.ts';
import { stageOfText } from '../stages.ts';
import { FILE_RULES } from './file-rules.ts';
import type { LintFinding, LintRule, RuleText } from './lint-rule.ts';
import { READER_RULES, type ReaderRuleName, SPOKEN_NAMES } from './reader-rules.ts';

type RuleName = keyof typeof FILE_RULES | ReaderRuleName;
const RULES: Readonly<Record<RuleName, RuleText>> = { ...FILE_RULES, ...READER_RULES };

/** All rules, by id. */
export const LINT_RULES: readonly LintRule[] = Object.entries(RULES)
  .map(([name, text]) => ({ name, ...text }))
  .toSorted((a, b) => (a.id < b.id ? -1 : 1));

const GRAPH_KEYWORDS: ReadonlySet<string> = new Set(['prompt', 'workflow', 'parameters']);
const SHOWN_CHARS = 60;

/**
 * What each reader would lose of what a picture carries, and why. A file that is no picture, or a damaged one, is a
 * finding as well.
 *
 * @param bytes a complete file; not modified. Any bytes give an answer.
 * @returns in the order of the rules' ids
 */
export function lintPicture(bytes: Uint8Array): readonly LintFinding[] {
  let container: Container;
  try {
    container = readContainer(bytes);
  } catch (error) {
    if (!isLineageError(error)) throw error;
    return [finding('unreadable', 'file', error.message)];
  }
  const carried = readCarried(container);
  const view = viewFile(bytes);
  return [...lintFile(container, carried), ...lintReaders(view, carried)].toSorted((a, b) =>
    a.rule.id < b.rule.id ? -1 : a.rule.id > b.rule.id ? 1 : 0,
  );
}

function lintFile(container: Container, carried: CarriedMetadata): LintFinding[] {
  const { parameters, prompt, workflow } = carried;
  const findings: LintFinding[] = [];
  const find = (...found: Parameters<typeof finding>): void => void findings.push(finding(...found));
  const isEmpty = parameters === undefined && prompt === undefined && workflow === undefined;
  for (const { chunk, byte, reason } of container.damaged)
    find('damaged-chunk', chunk, `${reason}, at byte ${byte}`);
  const exifDamage = damageOf(() => container.exif && readExif(container.exif));
  if (exifDamage !== undefined) find('damaged-exif', 'EXIF', exifDamage);
  const { xmp } = container;
  const xmpDamage = damageOf(() => xmp !== undefined && readXmpProperty(xmp, DIGITAL_SOURCE));
  if (xmpDamage !== undefined) find('damaged-xmp', 'XMP', xmpDamage);
  if (container.hasC2pa) find('signed', 'C2PA', 'a manifest store is in the file');
  for (const keyword of conflictsIn(container))
    find('conflicting-texts', keyword, 'the file has it twice, with different texts');
  if (isEmpty) {
    find('no-metadata', 'file', 'nothing to read');
    return findings;
  }
  if (parameters !== undefined && isOnlyComment(container, parameters))
    find('comment-only', 'parameters', 'there is no UserComment beside it');
  const stage = parameters === undefined ? 'full' : stageOfText(parameters);
  const mayBeCut = stage === 'minimal' || stage === 'com-marker';
  if (stage !== 'full')
    find('text-cut', 'parameters', `its stage is ${stage}${mayBeCut ? ', where long prompts are cut' : ''}`);
  for (const [name, json] of [
    ['prompt', prompt],
    ['workflow', workflow],
  ] as const)
    if (json !== undefined && !isJson(json)) find('graph-damaged', name, 'it cannot be parsed');
  if (carried.digitalSource === undefined) find('origin-not-marked', 'XMP', 'no DigitalSourceType');
  if (prompt === undefined) find('no-graph', 'prompt', 'none is embedded');
  return findings;
}

function lintReaders(view: ReaderView, carried: CarriedMetadata): LintFinding[] {
  const { parameters, prompt, workflow } = carried;
  if (parameters === undefined && prompt === undefined && workflow === undefined) return [];
  const parsed = parseInfotext(parameters ?? '');
  const meant = meantBy({
    parameters: parsed,
    ...(prompt !== undefined && { prompt }),
    ...(workflow !== undefined && { workflow }),
  });
  const withColon = new Set(
    parsed.details.filter(({ value }) => /^[^"[{].*:/.test(value)).map(({ key }) => key),
  );
  const findings = READERS.flatMap((reader) =>
    lossesOf(reader, view, meant).map((loss) =>
      finding(
        ruleOf(reader.id, loss, withColon),
        cut(loss.what),
        tellAlone(loss.id, SPOKEN_NAMES[reader.id]) ?? loss.why,
      ),
    ),
  );
  const compressed = view.pngTexts.filter((text) => text.compressed && GRAPH_KEYWORDS.has(text.keyword));
  return [
    ...findings,
    ...compressed.map(({ keyword, chunk }) =>
      finding('compressed-text', keyword, `it stands in a compressed ${chunk}`),
    ),
  ];
}

/** @param withColon keys whose unquoted values hold a colon */
function ruleOf(reader: ReaderId, loss: Loss, withColon: ReadonlySet<string>): ReaderRuleName {
  switch (loss.id) {
    case 'left-out':
    case 'guard-shown':
    case 'not-found':
    case 'shown-instead':
      return `differs-${reader}`;
    case 'key-lost-civitai':
      return loss.keys.some((key) => withColon.has(key)) ? 'value-with-colon' : loss.id;
    default:
      return loss.id;
  }
}

function finding(name: RuleName, what: string, message: string): LintFinding {
  return { rule: { name, ...RULES[name] }, what, message };
}

function damageOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (isLineageError(error)) return error.message;
    throw error;
  }
}

/** Keywords that a PNG has twice, with texts that differ. */
function conflictsIn({ texts }: Container): string[] {
  const byKeyword = Map.groupBy(texts, ({ keyword }) => keyword);
  return [...byKeyword]
    .filter(([, same]) => new Set(same.map(({ text }) => text)).size > 1)
    .map(([keyword]) => keyword);
}

function isOnlyComment({ comments, exif }: Container, text: string): boolean {
  if (!comments.some((bytes) => new TextDecoder().decode(bytes) === text)) return false;
  const comment =
    exif && damageOf(() => readExif(exif)) === undefined ? readExif(exif).userComment : undefined;
  return !isInfotext(comment?.text ?? '');
}

/** As browsers and servers parse it: NaN and Infinity are none. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function cut(text: string): string {
  const chars = [...text.slice(0, SHOWN_CHARS * 2)];
  return chars.length <= SHOWN_CHARS ? chars.join('') : `${chars.slice(0, SHOWN_CHARS - 1).join('')}…`;
}
