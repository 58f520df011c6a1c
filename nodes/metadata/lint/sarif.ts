import type { LintFinding, LintRule } from './lint-rule.ts';

/** What was found in one file. */
export type LintedFile = { readonly file: string; readonly findings: readonly LintFinding[] };

/** Who found it. */
export type LintTool = { readonly name: string; readonly version: string; readonly informationUri: string };

/**
 * Findings in the form that code hosts and editors read.
 *
 * @param rules all that could have been found, in the order of their index
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/ (SARIF 2.1.0)
 */
export function toSarif(files: readonly LintedFile[], rules: readonly LintRule[], tool: LintTool): object {
  const indexOf = new Map(rules.map(({ id }, index) => [id, index]));
  const results = files.flatMap(({ file, findings }) =>
    findings.map(({ rule, what, message }) => ({
      ruleId: rule.id,
      ruleIndex: indexOf.get(rule.id),
      level: rule.severity,
      message: { text: `${what}: ${told(message, rule.reason)} ${rule.action}` },
      locations: [{ physicalLocation: { artifactLocation: { uri: toUri(file) } } }],
    })),
  );
  const descriptors = rules.map(({ id, name, severity, reason, action }) => ({
    id,
    name,
    shortDescription: { text: reason },
    help: { text: action },
    defaultConfiguration: { level: severity },
  }));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { ...tool, rules: descriptors } }, columnKind: 'utf16CodeUnits', results }],
  };
}

/** Both, or one where they are the same. */
function told(message: string, reason: string): string {
  return reason === `${message}.` ? reason : `${message}. ${reason}`;
}

/** A path as an address that is relative where the path is. @see RFC 3986, 4.2 */
function toUri(path: string): string {
  const parts = path.replaceAll('\\', '/').split('/').map(encodeURIComponent);
  const uri = parts.join('/');
  // A drive letter would be taken for a scheme.
  if (/^[A-Za-z]%3A/.test(uri)) return `file:///${uri.replace('%3A', ':')}`;
  return uri.startsWith('/') ? `file://${uri}` : uri;
}
