import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };

const ROOT = new URL('../../', import.meta.url);

const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  author: z.union([z.string(), z.object({ name: z.string() })]).optional(),
});
type Package = {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string;
};

/** Files in which packages say under which terms they may be used; a package of binaries only has a README. */
const TERMS = [/^(licen[cs]e|copying)(\..*)?$/i, /^readme(\..*)?$/i];

/**
 * The packages that go into the packed folder: their licences in full, and the same list for machines (CycloneDX 1.6).
 *
 * @param inputs source files of the bundles, relative to the repository
 * @param copied packages that are copied whole, by name
 * @throws Error for a package that states no terms
 */
export function listThirdParty(
  inputs: readonly string[],
  copied: readonly string[],
): { readonly licences: string; readonly sbom: string } {
  const bundled = inputs.flatMap((file) => {
    const at = file.lastIndexOf('node_modules/');
    return at < 0 ? [] : [`${file.slice(0, at)}node_modules/${packageName(file.slice(at + 13))}`];
  });
  const folders = [...new Set([...bundled, ...copied.map((name) => `node_modules/${name}`)])].toSorted();
  const packages = folders.map(readPackage);
  return { licences: textOf(packages), sbom: sbomOf(packages) };
}

function packageName(path: string): string {
  return path.split('/', path.startsWith('@') ? 2 : 1).join('/');
}

function readPackage(folder: string): Package {
  const at = new URL(`${folder}/`, ROOT);
  const { name, version, license } = manifestSchema.parse(
    JSON.parse(readFileSync(new URL('package.json', at), 'utf8')),
  );
  const files = readdirSync(at);
  const file = TERMS.map((pattern) => files.find((each) => pattern.test(each))).find(
    (each) => each !== undefined,
  );
  if (file === undefined) throw new Error(`${folder}: expected a file with its licence, found none`);
  return { name, version, license, text: readFileSync(new URL(file, at), 'utf8').trim() };
}

function textOf(packages: readonly Package[]): string {
  const list = packages.map(({ name, version, license }) => `  ${name} ${version}: ${license}`);
  const texts = packages.map(
    ({ name, version, license, text }) => `${'='.repeat(78)}\n${name} ${version} (${license})\n\n${text}`,
  );
  const head =
    'Lineage is under the licence in LICENSE. The bundle dist/ holds these packages of others, each under its own:';
  return `${[head, list.join('\n'), ...texts].join('\n\n')}\n`;
}

/** @see https://cyclonedx.org/docs/1.6/json/ */
function sbomOf(packages: readonly Package[]): string {
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        name: packageJson.name,
        version: packageJson.version,
        licenses: [{ license: { id: packageJson.license } }],
      },
    },
    components: packages.map(({ name, version, license }) => ({
      type: 'library',
      name,
      version,
      // A package of several parts states an expression.
      licenses: / (AND|OR|WITH) /.test(license) ? [{ expression: license }] : [{ license: { id: license } }],
      purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
