import { child, children, parseSource, type Source, type SyntaxNode } from './sources.ts';

/** Names that a file exports without a docblock right above that says something in words. */
export function findUndocumented(source: Source): string[] {
  return children(parseSource(source), 'body')
    .filter((node) => node.type === 'ExportNamedDeclaration' || node.type === 'ExportDefaultDeclaration')
    .filter((node) => child(node, 'declaration') !== undefined && !isDocumented(source.text, node))
    .flatMap(namesOf);
}

function isDocumented(text: string, node: SyntaxNode): boolean {
  const above = text.slice(0, node.start).trimEnd();
  if (!above.endsWith('*/')) return false;
  const comment = above.slice(above.lastIndexOf('/*'));
  // A docblock of tags alone says nothing.
  return comment.startsWith('/**') && /^[\s*]*[^\s*@/]/.test(comment.slice(3, -2));
}

function namesOf(node: SyntaxNode): string[] {
  const declaration = child(node, 'declaration');
  if (!declaration) return [];
  const declared =
    declaration.type === 'VariableDeclaration' ? children(declaration, 'declarations') : [declaration];
  return declared.map((each) => String(child(each, 'id')?.['name'] ?? 'default'));
}
