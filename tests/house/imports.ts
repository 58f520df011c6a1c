import {
  child,
  children,
  isNamed,
  literalText,
  parseSource,
  type Source,
  type SyntaxNode,
  walkSyntax,
} from './sources.ts';

/** One way in which a file reaches another module. */
export type Import = {
  /** How it is written, for the message. */
  readonly form: string;
  /** Undefined where it is computed: nobody can say what it reaches. */
  readonly specifier: string | undefined;
};

type Forms = Readonly<Record<string, (node: SyntaxNode, parent?: SyntaxNode) => Import[]>>;

const isCode = (path: string): boolean => /\.[cm]?[jt]sx?$/.test(path);
const source = (node: SyntaxNode): string | undefined => literalText(child(node, 'source'));
const firstText = (node: SyntaxNode): string | undefined => literalText(children(node, 'arguments')[0]);

/** By the type of the syntax node that holds it. */
const FORMS: Forms = {
  ImportDeclaration: (node) => [
    {
      form: children(node, 'specifiers').length === 0 ? 'side-effect import' : 'import',
      specifier: source(node),
    },
  ],
  ExportNamedDeclaration: (node) =>
    child(node, 'source') ? [{ form: 'export from', specifier: source(node) }] : [],
  ExportAllDeclaration: (node) => [{ form: 'export * from', specifier: source(node) }],
  ImportExpression: (node) => [{ form: 'import()', specifier: source(node) }],
  TSImportType: (node) => [{ form: 'import() type', specifier: source(node) }],
  TSExternalModuleReference: (node) => [
    { form: 'import = require', specifier: literalText(child(node, 'expression')) },
  ],
  TSModuleDeclaration: (node) =>
    child(node, 'id')?.type === 'Literal'
      ? [{ form: 'declare module', specifier: literalText(child(node, 'id')) }]
      : [],
  CallExpression: readCall,
  NewExpression: readNew,
  Identifier: readName,
  MetaProperty: readMeta,
};

/** Every way in which the file reaches another module, also by what only types see. */
export function readImports(file: Source): Import[] {
  const program = parseSource(file);
  const found = [...walkSyntax(program)].flatMap(
    ({ node, parent }) => FORMS[node.type]?.(node, parent) ?? [],
  );
  const prologue = file.text.slice(0, children(program, 'body')[0]?.start ?? file.text.length);
  const references = prologue.matchAll(/^\s*\/\/\/\s*<reference\s+(?:path|types)\s*=\s*["']([^"']+)/gm);
  return [...found, ...[...references].map(([, specifier]) => ({ form: '/// <reference>', specifier }))];
}

/** `require(x)`, `require.resolve(x)`, `import.meta.resolve(x)`, `process.getBuiltinModule(x)`, `new Worker`'s kin. */
function readCall(node: SyntaxNode): Import[] {
  const callee = child(node, 'callee');
  if (isNamed(callee, 'require')) return [{ form: 'require()', specifier: firstText(node) }];
  const object = callee && child(callee, 'object');
  const property = callee && propertyName(callee);
  if (object?.type === 'MetaProperty' && property === 'resolve')
    return [{ form: 'import.meta.resolve()', specifier: firstText(node) }];
  if (isNamed(object, 'require')) return [{ form: `require.${property}()`, specifier: firstText(node) }];
  if (property === 'getBuiltinModule') return [{ form: 'getBuiltinModule()', specifier: firstText(node) }];
  return [];
}

/** `new URL('./code.ts', import.meta.url)`, and `new Worker` of anything but such a URL. */
function readNew(node: SyntaxNode): Import[] {
  const callee = child(node, 'callee');
  const [first] = children(node, 'arguments');
  const isWorker = ['Worker', 'SharedWorker'].some(
    (name) => isNamed(callee, name) || (callee && propertyName(callee) === name),
  );
  if (isWorker) {
    const [url] = first && isUrlHere(first) ? children(first, 'arguments') : [];
    return [{ form: 'new Worker', specifier: literalText(url) }];
  }
  if (!isUrlHere(node)) return [];
  const text = literalText(first);
  if (text !== undefined) return isCode(text) ? [{ form: 'new URL()', specifier: text }] : [];
  // A computed name of a data file is no import; a computed name of code is one that nobody can check.
  const tail = first && children(first, 'quasis').at(-1)?.['value'];
  const end = typeof tail === 'object' && tail !== null && 'cooked' in tail ? String(tail.cooked) : '';
  return /\.\w+$/.test(end) && !isCode(end) ? [] : [{ form: 'new URL()', specifier: undefined }];
}

function isUrlHere(node: SyntaxNode | undefined): boolean {
  if (node?.type !== 'NewExpression' || !isNamed(child(node, 'callee'), 'URL')) return false;
  const base = children(node, 'arguments')[1];
  return base !== undefined && child(base, 'object')?.type === 'MetaProperty';
}

/** `require` and `Worker` handed on under another name, and `createRequire`. */
function readName(node: SyntaxNode, parent?: SyntaxNode): Import[] {
  if (isNamed(node, 'createRequire')) return [{ form: 'createRequire', specifier: undefined }];
  if (!parent || (!isNamed(node, 'require') && !isNamed(node, 'Worker'))) return [];
  const isMember = parent.type === 'MemberExpression';
  const isCalled = /^(Call|New)Expression$/.test(parent.type) && child(parent, 'callee') === node;
  const isImported =
    parent.type === 'ImportSpecifier' && isNamed(child(parent, 'local'), String(node['name']));
  const isTyped = parent.type.startsWith('TS');
  if (isMember || isCalled || isImported || isTyped) return [];
  return [{ form: `${node['name']} handed on`, specifier: undefined }];
}

/** `import.meta` handed on whole could resolve anything. */
function readMeta(node: SyntaxNode, parent?: SyntaxNode): Import[] {
  const isMember = parent?.type === 'MemberExpression' && child(parent, 'object') === node;
  const name = isMember ? propertyName(parent) : undefined;
  return name !== undefined && ['url', 'main', 'dirname', 'filename', 'resolve'].includes(name)
    ? []
    : [{ form: 'import.meta', specifier: undefined }];
}

/** `a.b` and `a['b']` → b */
export function propertyName(node: SyntaxNode): string | undefined {
  if (node.type !== 'MemberExpression') return undefined;
  const property = child(node, 'property');
  if (node['computed'] === true) return literalText(property);
  return property?.type === 'Identifier' ? String(property['name']) : undefined;
}
