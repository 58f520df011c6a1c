import type { Json } from '../../../nodes/kit/exact-json.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { each, tryUpgrade } from './answers.ts';
import { node } from './graphs.ts';
import { describeClass } from './shape.ts';
import type { Stage } from './stage.ts';

const keys = (body: Json): Json => (isRecord(body) ? Object.keys(body).sort() : 'no object');

/**
 * What the server says of itself and its nodes.
 * @param classes the class types that both sides have.
 */
export async function playCatalogue(stage: Stage, classes: readonly string[]): Promise<void> {
  for (const name of classes) {
    await stage.http(`GET /object_info/{class}: ${name}`, 'GET', `/object_info/${name}`, {
      reduce: (body) => describeClass(body),
    });
  }
  await stage.http('GET /object_info/{class}: unknown', 'GET', '/object_info/NoSuchNode');
  await stage.http('GET /object_info/{class}: a word of the language', 'GET', '/object_info/__proto__');
  await stage.http('GET /object_info: has them all', 'GET', '/object_info', {
    reduce: (body) => classes.filter((name) => isRecord(body) && Object.hasOwn(body, name)),
  });
  await stage.http('GET /features', 'GET', '/features');
  await stage.http('GET /system_stats', 'GET', '/system_stats');
  await stage.http('GET /extensions', 'GET', '/extensions', { reduce: each });
  await stage.http('GET /i18n', 'GET', '/i18n', { reduce: () => 'an object' });
  await stage.http('GET /workflow_templates', 'GET', '/workflow_templates', { reduce: () => 'an object' });
  await stage.http('GET /global_subgraphs', 'GET', '/global_subgraphs');
  await stage.http('GET /global_subgraphs/{id}: unknown', 'GET', '/global_subgraphs/unknown');
  await stage.http('GET /internal/logs', 'GET', '/internal/logs');
  await stage.http('GET /internal/logs/raw', 'GET', '/internal/logs/raw');
  await stage.http('PATCH /internal/logs/subscribe', 'PATCH', '/internal/logs/subscribe', {
    json: { clientId: 'nobody', enabled: true },
  });
  await stage.http('PATCH /internal/logs/subscribe: no client', 'PATCH', '/internal/logs/subscribe', {
    json: {},
  });
  await stage.http('GET /internal/folder_paths', 'GET', '/internal/folder_paths', {
    reduce: (body) => (isRecord(body) && isRecord(body) && 'loras' in body ? 'has loras' : keys(body)),
  });
  for (const folder of ['input', 'output', 'temp']) {
    await stage.http(`GET /internal/files/${folder}`, 'GET', `/internal/files/${folder}`, { reduce: each });
  }
  await stage.http('GET /internal/files/{type}: unknown', 'GET', '/internal/files/user');
  await stage.http('GET /', 'GET', '/');
  await stage.http('GET an unknown path', 'GET', '/no/such/path');
  await stage.http('POST an unknown path', 'POST', '/no/such/path', { json: {} });
  await stage.http('PUT /prompt', 'PUT', '/prompt', { json: {} });
  await stage.http('OPTIONS /prompt', 'OPTIONS', '/prompt');
  await stage.http('HEAD /prompt', 'HEAD', '/prompt');

  // Everything is there a second time under /api, but not what is internal.
  const TWICE = [
    ...[
      'prompt',
      'queue',
      'history',
      'features',
      'system_stats',
      'embeddings',
      'models',
      'extensions',
      'i18n',
    ],
    ...['users', 'settings', 'workflow_templates', 'global_subgraphs', 'experiment/models', 'internal/logs'],
    ...['view?filename=a.png&type=input', 'userdata?dir=notes', 'api/jobs', 'object_info/SaveImage'],
  ];
  for (const path of TWICE) {
    await stage.http(`GET /api/${path}`, 'GET', `/api/${path}`, { reduce: () => 'JSON' });
  }
}

/** Hosts and origins (reference 2.5), and a name that leads out of the folders. */
export async function playSecurity(stage: Stage): Promise<void> {
  const host = new URL(stage.url).host;
  const HEADERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'its own origin': { Origin: stage.url },
    'another origin': { Origin: 'http://evil.example' },
    'another port': { Origin: 'http://127.0.0.1:1' },
    'the origin null': { Origin: 'null' },
    'another host': { Host: 'evil.example' },
    'another host and its origin': { Host: 'evil.example', Origin: 'http://evil.example' },
    'a request across sites': { 'Sec-Fetch-Site': 'cross-site', Host: host },
    'a form': { 'Content-Type': 'application/x-www-form-urlencoded' },
  };
  for (const [name, headers] of Object.entries(HEADERS)) {
    await stage.http(`POST /prompt from ${name}`, 'POST', '/prompt', { body: '{}', headers });
    await stage.http(`GET /history/{id} from ${name}`, 'GET', '/history/unknown', { headers });
  }
  for (const [name, headers] of Object.entries(HEADERS)) {
    stage.keep(`ws: opened from ${name}`, [await tryUpgrade(stage.url, headers)]);
  }
  const outside = { '1': node('LoadImage', { image: '../models/loras/pictured.png' }) };
  await stage.http('POST /prompt: a picture outside the folders', 'POST', '/prompt', {
    json: { prompt: { ...outside, '2': node('PreviewImage', { images: ['1', 0] }) } },
  });
}
