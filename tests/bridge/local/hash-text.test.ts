import { expect, test } from 'vitest';
import { hashText } from '../../../bridge/local/hash-text.ts';

test.each([
  // FIPS 180-2, appendix B.1.
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  // Of the bytes c3 a9, by coreutils: printf é | sha256sum
  ['é', '4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c'],
])('the SHA-256 of the UTF-8 of %s', (text, hash) => {
  expect(hashText(text)).toBe(hash);
});
