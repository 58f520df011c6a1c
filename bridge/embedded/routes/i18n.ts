import { join } from 'node:path';
import { Router } from 'express';
import type { Json } from '../../../nodes/kit/exact-json.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { namesOf, readPackJson } from '../files/pack-folder.ts';
import { answering, ROUTING } from '../http/answer.ts';
import type { Log } from '../log.ts';

/** Each of these is a key of its language's translations; `main.json` holds the other keys. */
const PARTS = ['nodeDefs', 'commands', 'settings'];

/**
 * `GET /i18n`: translations by language, from the pack's `locales/<language>/*.json`.
 * @see ComfyUI 618b803d app/custom_node_manager.py build_translations
 */
export function i18nRoute(packRoot: string, log: Log): Router {
  const router = Router(ROUTING);
  router.get(
    '/i18n',
    answering(async (_request, response) => {
      const locales = join(packRoot, 'locales');
      const translations = new Map<string, Json>();
      for (const language of await namesOf(locales)) {
        const words = await readLanguage(join(locales, language), log);
        if (Object.keys(words).length > 0) translations.set(language, words);
      }
      response.json(Object.fromEntries(translations));
    }),
  );
  return router;
}

async function readLanguage(folder: string, log: Log): Promise<Readonly<Record<string, Json>>> {
  const main = await readPackJson(folder, 'main.json', log);
  const words = new Map<string, Json>(isRecord(main) ? Object.entries(main) : []);
  for (const part of PARTS) {
    const json = await readPackJson(folder, `${part}.json`, log);
    if (json !== undefined) words.set(part, json);
  }
  return Object.fromEntries(words);
}
