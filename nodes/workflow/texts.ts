import type { WarningSink } from '../kit/warnings.ts';
import type { FlatNode } from './flatten.ts';

/** Alternatives within alternatives deeper than anybody writes are left as they stand. */
const MAX_DEPTH = 64;

/**
 * What the editor makes of a text with `dynamicPrompts` as it queues it: comments are gone, of `{a|b}` one is chosen,
 * `\{` is a brace. The editor rolls dice; here it is the first, so that the same file gives the same prompt.
 *
 * @returns the text, and whether there was something to choose
 */
export function resolveDynamicPrompt(text: string): { readonly text: string; readonly hasChosen: boolean } {
  const bare = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  let hasChosen = false;

  /** From behind a brace to the one that closes it. */
  const readAlternatives = (from: number): { readonly options: readonly string[]; readonly end: number } => {
    const options: string[] = [];
    let [start, depth, at] = [from, 0, from];
    for (; at < bare.length; at++) {
      const char = bare[at];
      if (char === '\\') at++;
      else if (char === '{') depth++;
      else if (char === '}' && depth-- === 0) break;
      else if (char === '|' && depth === 0) {
        options.push(bare.slice(start, at));
        start = at + 1;
      }
    }
    options.push(bare.slice(start, at));
    return { options, end: Math.min(at + 1, bare.length) };
  };

  // The first alternative is read on in place: what it nests begins right behind its brace.
  let result = '';
  const skips: number[] = [];
  let at = 0;
  while (at < bare.length) {
    const char = bare[at] ?? '';
    const end = skips.at(-1);
    if (end !== undefined && (char === '|' || char === '}')) {
      at = end;
      skips.pop();
    } else if (char === '\\') {
      result += bare.slice(at, at + 2);
      at += 2;
    } else if (char === '{' && skips.length < MAX_DEPTH) {
      const { options, end: behind } = readAlternatives(at + 1);
      hasChosen ||= options.length > 1;
      skips.push(behind);
      at++;
    } else {
      result += char;
      at++;
    }
  }
  return { text: result.replace(/\\([{}|])/g, '$1'), hasChosen };
}

/** Save nodes in whose file names the editor replaces `%…%` (1.35.9 extensions/core/saveImageExtraOutput.ts). */
const SAVERS: ReadonlySet<string> = new Set([
  ...['SaveImage', 'SaveVideo', 'SaveAnimatedWEBP', 'SaveWEBM', 'SaveAudio', 'SaveGLB', 'SaveAnimatedPNG'],
  ...['CLIPSave', 'VAESave', 'ModelSave', 'LoraSave', 'SaveLatent'],
]);

/** Whether `%…%` is replaced in an input. */
export function hasReplacements(classType: string, input: string): boolean {
  return input === 'filename_prefix' && SAVERS.has(classType);
}

/**
 * Replaces `%NODE.WIDGET%`, NODE by its name for search and replace or its title, and `%date:yyyy-MM-dd%`. The server
 * replaces `%width%`, `%year%` and the like itself.
 *
 * @param nodes where NODE is looked for, in the order of the file
 * @param now the date; without it dates stay as they stand
 */
export function replaceInName(
  text: string,
  nodes: readonly FlatNode[],
  now: Date | undefined,
  warn: WarningSink,
  where: string,
): string {
  return text.replace(/%([^%]+)%/g, (whole, inner: string) => {
    const [name, widget, ...more] = inner.split('.');
    if (name !== undefined && widget !== undefined && more.length === 0) {
      const value = findNode(nodes, name)?.values.get(widget);
      // What no file name may hold.
      if (value !== undefined) return String(value).replaceAll(/[/?<>\\:*|"\x00-\x1F\x7F]/g, '_');
      warn('workflow/value', `${whole} names no widget and stays`, where);
    } else if (inner.startsWith('date:')) {
      if (now) return formatDate(inner.slice('date:'.length), now);
      warn('workflow/value', `${whole} stays: what is read was queued at another time`, where);
    }
    return whole;
  });
}

function findNode(nodes: readonly FlatNode[], name: string): FlatNode | undefined {
  return (
    nodes.find(({ node }) => node.properties.get('Node name for S&R') === name) ??
    nodes.find(({ node }) => node.title === name)
  );
}

/** Letters of a date, as often as its digits are many: d M h m s, yy and yyyy. */
function formatDate(pattern: string, date: Date): string {
  const parts: Readonly<Record<string, number>> = {
    d: date.getDate(),
    M: date.getMonth() + 1,
    h: date.getHours(),
    m: date.getMinutes(),
    s: date.getSeconds(),
  };
  return pattern.replace(/dd?|MM?|hh?|mm?|ss?|yyyy|yy/g, (letters) => {
    const year = String(date.getFullYear());
    if (letters.startsWith('y')) return letters === 'yy' ? year.slice(2) : year;
    return String(parts[letters.charAt(0)] ?? '').padStart(letters.length, '0');
  });
}
