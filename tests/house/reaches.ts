import { propertyName } from './imports.ts';
import {
  child,
  children,
  isNamed,
  parseSource,
  type Source,
  type SyntaxNode,
  walkSyntax,
} from './sources.ts';

/** Globals that reach the machine, the network, the clock or chance without an import. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'process',
  'globalThis',
  'global',
  'navigator',
  'console',
  'fetch',
  'WebSocket',
  'EventSource',
  'XMLHttpRequest',
  'BroadcastChannel',
  'Worker',
  'SharedWorker',
  'performance',
  'crypto',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'eval',
  'Function',
  'require',
  'module',
]);

/** What a file uses that a pure function cannot: each name once. Type positions don't count: they run nothing. */
export function readReaches(file: Source): string[] {
  const found = new Set<string>();
  for (const { node, parent } of walkSyntax(parseSource(file))) {
    if (node.type === 'MetaProperty' && child(node, 'meta')?.['name'] === 'import') found.add('import.meta');
    if (node.type === 'MemberExpression' && isNamed(child(node, 'object'), 'Math')) {
      if (propertyName(node) === 'random' || propertyName(node) === undefined) found.add('Math.random');
    }
    if (node.type !== 'Identifier' || !parent || isOnlyName(node, parent)) continue;
    const name = String(node['name']);
    if (FORBIDDEN.has(name)) found.add(name);
    if (name === 'Date' && !isClocklessDate(node, parent)) found.add('the clock (Date)');
    if (name === 'Math' && parent.type !== 'MemberExpression') found.add('Math.random');
  }
  return [...found];
}

/** Names of members, keys and types are no references to a global. */
function isOnlyName(node: SyntaxNode, parent: SyntaxNode): boolean {
  if (parent.type.startsWith('TS')) return !/^TS(As|Satisfies|NonNull|TypeAssertion)/.test(parent.type);
  const isKey = child(parent, 'key') === node;
  const isProperty = parent.type === 'MemberExpression' && child(parent, 'property') === node;
  return (isKey || isProperty) && parent['computed'] !== true;
}

/** `new Date(value)`, `Date.UTC`, `Date.parse` and `instanceof Date` read no clock. */
function isClocklessDate(node: SyntaxNode, parent: SyntaxNode): boolean {
  if (parent.type === 'NewExpression') return children(parent, 'arguments').length > 0;
  if (parent.type === 'BinaryExpression') return parent['operator'] === 'instanceof';
  const member = child(parent, 'object') === node ? propertyName(parent) : undefined;
  return member === 'UTC' || member === 'parse';
}
