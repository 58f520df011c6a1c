import { runBridge } from '../../../bridge/comfyui/bridge.ts';
import { benchNodes } from './bench-nodes.ts';

await runBridge(benchNodes);
