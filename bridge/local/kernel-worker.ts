/** The thread of the kernel pool, with the kernels of the built-in nodes. */
import { kernels } from '../../nodes/builtin/kernels/index.gen.ts';
import { serveKernels } from './kernel-thread.ts';

serveKernels(kernels);
