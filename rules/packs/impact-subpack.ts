import { defineRules } from '../define.ts';

/** The Impact Subpack: the detectors that most detailers are plugged into. They say where, and name nothing. */
export default defineRules({
  pack: 'impact-subpack',
  source: 'https://github.com/ltdrdata/ComfyUI-Impact-Subpack/tree/5b4e55058ae48e18e1c6d974000461ad1e240135',
  nodes: {
    UltralyticsDetectorProvider: { role: 'value', gives: [[], []] },
  },
});
