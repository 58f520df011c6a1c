import { serveKernels } from '../../../bridge/local/kernel-thread.ts';
import { crash, fail, forever, hang, touch, work } from './kernels-for-tests.ts';

serveKernels([crash, fail, forever, hang, touch, work]);
