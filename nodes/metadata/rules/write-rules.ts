import type { NodeRule } from '../../../rules/define.ts';
import type { Proposal } from './propose-rule.ts';

/** Rules as a file of JSON. */
export function writeRulesJson(nodes: Readonly<Record<string, NodeRule>>): string {
  return `${JSON.stringify({ version: 1, nodes }, null, 2)}\n`;
}

/** Proposals as a file of YAML, each part with its evidence beside it, for a person to look through. */
export function writeProposals(proposals: readonly Proposal[]): string {
  const lines = ['version: 1', proposals.length === 0 ? 'nodes: {}' : 'nodes:'];
  for (const { classType, pythonModule, rule, evidence, confidence } of proposals) {
    const told = (about: string): string => {
      const found = evidence.find((each) => each.about === about);
      if (!found) return '';
      const by = found.input === undefined ? '' : ` of ${found.type}`;
      return ` # ${found.confidence}: ${plain(found.because)}${plain(by)}`;
    };
    lines.push(
      `  # ${confidence}${pythonModule === '' ? '' : `, from ${plain(pythonModule)}`}`,
      `  ${JSON.stringify(classType)}:`,
    );
    for (const [member, value] of Object.entries(rule)) {
      if (typeof value !== 'object' || Array.isArray(value)) {
        lines.push(`    ${member}: ${JSON.stringify(value)}${told(member)}`);
        continue;
      }
      lines.push(`    ${member}:`);
      for (const [name, part] of Object.entries(value))
        lines.push(`      ${JSON.stringify(name)}: ${JSON.stringify(part)}${told(`${member}.${name}`)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Within a comment: one line, and nothing that no YAML may hold. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
