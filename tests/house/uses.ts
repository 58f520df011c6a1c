import {
  child,
  isNamed,
  literalText,
  parseSource,
  type Source,
  type SyntaxNode,
  walkSyntax,
} from './sources.ts';

/**
 * String literals that a file hands to somebody, with the files: not keys, types, comparisons, lists, nor codes that
 * are only asked for. What is declared but never thrown or warned of is not among them.
 */
export function findUses(sources: readonly Source[]): ReadonlyMap<string, readonly string[]> {
  const uses = new Map<string, string[]>();
  for (const source of sources) {
    for (const { node, parent } of walkSyntax(parseSource(source))) {
      const text = node.type === 'Literal' ? literalText(node) : undefined;
      if (text === undefined || !parent || !isHanded(node, parent)) continue;
      uses.set(text, [...(uses.get(text) ?? []), source.path]);
    }
  }
  return uses;
}

function isHanded(node: SyntaxNode, parent: SyntaxNode): boolean {
  if (parent.type === 'ConditionalExpression') return child(parent, 'test') !== node;
  if (parent.type !== 'CallExpression' && parent.type !== 'NewExpression') return false;
  return !isNamed(child(parent, 'callee'), 'isLineageError');
}
