import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // Real programs (exiftool, Python) answer slowly on a small machine.
    testTimeout: 60_000,
  },
});
