/** The bridge that ComfyUI's process starts (process.py). */
import { nodeDefinitions } from '../../nodes/index.gen.ts';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { runBridge } from './bridge.ts';

try {
  await runBridge(nodeDefinitions);
} catch (error) {
  if (!isLineageError(error)) throw error;
  process.stderr.write(`[${error.code}] ${error.message}. ${error.hint}\n`);
  process.exitCode = 1;
}
