/** Units that UTF-16 does not order as code points: surrogates, and what lies behind them. */
const REACHES_SURROGATES = /[\ud800-\uffff]/;

/**
 * Orders names as their UTF-8 bytes are ordered, which is the order of code points: what Rust and Python sort by.
 * JavaScript's `<` goes by UTF-16 units and puts U+1F600 before U+FF21; where not both names reach so far it is right, and
 * sorts thousands of names in a quarter of the time.
 */
export function compareNames(a: string, b: string): number {
  if (!(REACHES_SURROGATES.test(a) && REACHES_SURROGATES.test(b))) {
    if (a === b) return 0;
    return a < b ? -1 : 1;
  }
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return liftSurrogate(x) - liftSurrogate(y);
  }
  return a.length - b.length;
}

/** Puts surrogates, which stand for code points above U+FFFF, behind all other units. */
function liftSurrogate(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit;
}
