/** The bridge with the nodes of the tests beside the true ones. */
import { runBridge } from '../../../bridge/comfyui/bridge.ts';
import { nodeDefinitions } from '../../../nodes/index.gen.ts';
import { testNodes } from './test-nodes.ts';

await runBridge([...nodeDefinitions, ...testNodes]);
