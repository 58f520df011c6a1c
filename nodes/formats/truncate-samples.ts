/**
 * Floats of 0 to 1 as bytes, as ComfyUI's `np.clip(255. * image, 0, 255).astype(np.uint8)` makes them: multiplied in
 * single precision, the fraction cut off; NaN becomes 0.
 *
 * @param samples not modified.
 * @param out of the same length, if it is not to be allocated here.
 * @see ComfyUI 618b803d nodes.py SaveImage
 */
export function truncateSamples(
  samples: Float32Array,
  out: Uint8Array = new Uint8Array(samples.length),
): Uint8Array {
  for (let i = 0; i < samples.length; i++) {
    const value = Math.fround(255 * (samples[i] ?? 0));
    out[i] = Math.min(255, Math.max(0, value));
  }
  return out;
}
