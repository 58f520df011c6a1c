import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { coreDefinitions } from '../../bridge/cli/object-info.ts';
import { parseExactJson } from '../../nodes/kit/exact-json.ts';
import { type NodeDefinitions, parseNodeDefinitions } from '../../nodes/workflow/node-definitions.ts';

const ROOT = new URL('../../fixtures/workflows/', import.meta.url);

/** A folder of fixtures/workflows. */
export type Case = {
  readonly name: string;
  readonly covers: string;
  /** Builds of the official front end that give this prompt; none: it follows from the sources that `read` names. */
  readonly frontEnds: readonly string[];
  readonly read?: string;
  /** Codes of all warnings, sorted. */
  readonly warnings: readonly string[];
  readonly workflow: unknown;
  /** Absent until it is recorded. */
  readonly prompt: unknown;
};

/** All folders, by name. */
export function readCases(): readonly Case[] {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const read = (file: string): unknown => {
        const url = new URL(`${name}/${file}`, ROOT);
        return existsSync(url) ? parseExactJson(readFileSync(url, 'utf8'), () => {}) : undefined;
      };
      const told = JSON.parse(readFileSync(new URL(`${name}/case.json`, ROOT), 'utf8'));
      return { ...told, name, workflow: read('workflow.json'), prompt: read('prompt.json') };
    });
}

/** Classes of our own for what ComfyUI's do not show, in the form of `/object_info`. */
export function ownClasses(): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(new URL('classes.json', ROOT), 'utf8'));
}

/** ComfyUI's classes and those of `classes.json`. */
export function caseDefinitions(): NodeDefinitions {
  return new Map([...coreDefinitions(), ...parseNodeDefinitions(ownClasses())]);
}

/** Where a recorded prompt goes. */
export function promptFile(name: string): URL {
  return new URL(`${name}/prompt.json`, ROOT);
}
