import { freemem, platform, totalmem } from 'node:os';
import manifest from '../../package.json' with { type: 'json' };

/** The API that we speak; clients choose their ways by it. */
const COMFYUI_VERSION = '0.8.0';
/** The front end that this version asks for; an older one warns its user. */
const FRONTEND_VERSION = '1.35.9';
/** And its templates, which we don't have. */
const TEMPLATES_VERSION = '0.7.67';

/**
 * The answer of `/system_stats`. Fields that clients parse are of their types: there is neither Python nor torch here,
 * so these are texts that say so, and the one device is the processor with the machine's memory. The command line
 * stays out: it may name folders that are nobody's business.
 */
export function systemStats(): Readonly<Record<string, unknown>> {
  const [total, free] = [totalmem(), freemem()];
  return {
    system: {
      os: platform(),
      ram_total: total,
      ram_free: free,
      comfyui_version: COMFYUI_VERSION,
      required_frontend_version: FRONTEND_VERSION,
      installed_templates_version: null,
      required_templates_version: TEMPLATES_VERSION,
      python_version: `none (Node.js ${process.versions.node}, ${manifest.name} ${manifest.version})`,
      pytorch_version: 'none',
      embedded_python: false,
      argv: ['lineage', 'serve'],
      comfy_package_versions: [],
      deploy_environment: 'local-git',
    },
    devices: [
      {
        name: 'cpu',
        type: 'cpu',
        index: 0,
        vram_total: total,
        vram_free: free,
        torch_vram_total: total,
        torch_vram_free: free,
      },
    ],
  };
}
