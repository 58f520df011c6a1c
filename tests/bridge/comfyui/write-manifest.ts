/** Prints the manifest of the test pack: `node write-manifest.ts > FILE`, which LINEAGE_TEST_MANIFEST then names. */
import { toManifest } from '../../../bridge/comfyui/manifest.ts';
import { testNodes } from './test-nodes.ts';

console.log(JSON.stringify(toManifest(testNodes)));
