/**
 * Files made to tell a strict reader from a lenient one. What the safetensors crate says of each is recorded in
 * fixtures/safetensors/crafted.json by judge.py beside it, which asks this table for the bytes.
 */
export type Crafted = {
  readonly name: string;
  readonly file: Uint8Array;
  /** Why this reader refuses what the crate lets pass. */
  readonly stricter?: string;
};

/** A header with its length, and data of zeros. */
function file(json: string | Uint8Array, dataBytes = 0, claimed?: bigint): Uint8Array {
  const header = Buffer.from(json);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(header.length));
  return new Uint8Array(Buffer.concat([length, header, Buffer.alloc(dataBytes)]));
}

function entry(dtype: string, shape: string, begin: number | string, end: number | string): string {
  return `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;
}

const U8 = entry('U8', '[1]', 0, 1);
const EMPTY = entry('U8', '[0]', 0, 0);

/** One tensor `a` of a byte, with this text in place of its shape. */
function withShape(shape: string): Uint8Array {
  return file(`{"a":${entry('U8', shape, 0, 1)}}`, 1);
}

/** One tensor `a` of a byte, with fields behind its own. */
function withField(fields: string): Uint8Array {
  return file(`{"a":${U8.slice(0, -1)},${fields}}}`, 1);
}

function nested(levels: number, open: string, close: string, core = ''): Uint8Array {
  return withField(`"x":${open.repeat(levels)}${core}${close.repeat(levels)}`);
}

const BAD_LENGTHS: readonly Crafted[] = [
  { name: 'empty file', file: new Uint8Array(0) },
  { name: 'seven bytes', file: new Uint8Array(7) },
  { name: 'length 0', file: file('') },
  { name: 'length 0 before JSON', file: file('{}', 0, 0n) },
  { name: 'length beyond the file', file: file('{}', 0, 3n) },
  { name: 'length of 100,000,001', file: file('{}', 0, 100_000_001n) },
  { name: 'length of 2^63', file: file('{}', 0, 2n ** 63n) },
  { name: 'length of 2^64 - 1', file: file('{}', 0, 2n ** 64n - 1n) },
];

const BAD_JSON: readonly Crafted[] = [
  { name: 'a byte that is no UTF-8', file: file(Buffer.from(`{"a\xff":${U8}}`, 'latin1'), 1) },
  { name: 'a surrogate in UTF-8', file: file(Buffer.from(`{"a\xed\xa0\x80":${U8}}`, 'latin1'), 1) },
  { name: 'an overlong NUL', file: file(Buffer.from(`{"a\xc0\x80":${U8}}`, 'latin1'), 1) },
  { name: 'cut JSON', file: file(`{"a":${U8}`, 1) },
  { name: 'cut string', file: file('{"a') },
  { name: 'array on top', file: file('[]') },
  { name: 'null on top', file: file('null') },
  { name: 'a letter behind the object', file: file('{}x') },
  { name: 'two objects', file: file('{}{}') },
  { name: 'byte order mark', file: file('\ufeff{}') },
  { name: 'NUL padding', file: file('{}\0\0\0\0\0\0') },
  { name: 'form feed before the object', file: file('\f{}') },
  { name: 'vertical tab behind the object', file: file('{}\v') },
  { name: 'no-break space behind the object', file: file('{}\u00a0') },
  { name: 'lone leading surrogate escape', file: file(`{"\\ud800":${U8}}`, 1) },
  { name: 'lone trailing surrogate escape', file: file(`{"\\ude00":${U8}}`, 1) },
  { name: 'leading surrogate before a letter', file: file(`{"\\ud83d\\u0041":${U8}}`, 1) },
  { name: 'lone surrogate in a field that is skipped', file: withField('"x":"\\ud800"') },
  { name: 'control character in a name', file: file(`{"a\n":${U8}}`, 1) },
  { name: 'byte 0x1f in a name', file: file(`{"a\x1f":${U8}}`, 1) },
  { name: 'unknown escape', file: file(`{"a\\x":${U8}}`, 1) },
  { name: 'three hexadecimal digits', file: file(`{"\\u12g4":${U8}}`, 1) },
  { name: 'NaN in a field that is skipped', file: withField('"x":NaN') },
  { name: 'Infinity in a field that is skipped', file: withField('"x":-Infinity') },
  { name: '1e999 in a field that is skipped', file: withField('"x":1e999') },
  { name: 'a point without digits', file: withField('"x":1.') },
  { name: 'a leading zero', file: withField('"x":01') },
  { name: 'a leading zero behind minus', file: withField('"x":-00.5') },
  { name: 'a plus sign', file: withField('"x":+1') },
  { name: 'an exponent without digits', file: withField('"x":1e') },
  { name: 'a misspelt word', file: withField('"x":nul') },
  { name: 'a comment', file: file(`{/* */"a":${U8}}`, 1) },
  { name: 'comma behind the last entry', file: file(`{"a":${U8},}`, 1) },
  { name: 'comma behind the last side', file: withShape('[1,]') },
  { name: 'comma before the first entry', file: file(`{,"a":${U8}}`, 1) },
  { name: 'no colon', file: file(`{"a" ${U8}}`, 1) },
  { name: 'single quotes', file: file(`{'a':${U8}}`, 1) },
  { name: 'key without quotes', file: file(`{a:${U8}}`, 1) },
  { name: 'arrays 128 deep', file: nested(126, '[', ']') },
  { name: 'objects 128 deep', file: nested(126, '{"x":', '}', '1') },
  { name: 'arrays 10,000 deep', file: nested(10_000, '[', ']') },
];

const BAD_FIELDS: readonly Crafted[] = [
  { name: 'unknown dtype', file: file(`{"a":${entry('F7', '[1]', 0, 1)}}`, 1) },
  { name: 'lower-case dtype', file: file(`{"a":${entry('u8', '[1]', 0, 1)}}`, 1) },
  { name: 'F8_E4M3FN', file: file(`{"a":${entry('F8_E4M3FN', '[1]', 0, 1)}}`, 1) },
  { name: 'dtype toString', file: file(`{"a":${entry('toString', '[1]', 0, 1)}}`, 1) },
  { name: 'dtype null', file: file('{"a":{"dtype":null,"shape":[1],"data_offsets":[0,1]}}', 1) },
  { name: 'no dtype', file: file('{"a":{"shape":[1],"data_offsets":[0,1]}}', 1) },
  { name: 'no shape', file: file('{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1) },
  { name: 'no data_offsets', file: file('{"a":{"dtype":"U8","shape":[0]}}') },
  { name: 'entry null', file: file('{"a":null}') },
  { name: 'entry of text', file: file('{"a":"U8"}') },
  { name: 'entry {}', file: file('{"a":{}}') },
  { name: 'shape null', file: withShape('null') },
  { name: 'shape a number', file: withShape('1') },
  { name: 'negative side', file: withShape('[-1]') },
  { name: 'side -0', file: withShape('[-0]') },
  { name: 'side 1.0', file: withShape('[1.0]') },
  { name: 'side 1e0', file: withShape('[1e0]') },
  { name: 'side "1"', file: withShape('["1"]') },
  { name: 'side 01', file: withShape('[01]') },
  { name: 'side true', file: withShape('[true]') },
  { name: 'side of 2^64', file: withShape('[18446744073709551616]') },
  {
    name: 'side of 2^64 without elements',
    file: file(`{"a":${entry('U8', '[0,18446744073709551616]', 0, 0)}}`),
  },
  { name: 'elements beyond 2^64', file: withShape('[4294967296,4294967296]') },
  {
    name: 'elements beyond 2^64, then 0',
    file: file(`{"a":${entry('U8', '[4294967296,4294967296,0]', 0, 0)}}`),
  },
  { name: 'elements of 2^64 + 1 as doubles see 2^64', file: withShape('[274177,67280421310721]') },
  { name: 'bits beyond 2^64', file: file(`{"a":${entry('F64', '[2305843009213693952]', 0, 0)}}`) },
  { name: 'negative offset', file: file(`{"a":${entry('U8', '[1]', -1, 0)}}`) },
  { name: 'end before begin', file: file(`{"a":${entry('U8', '[1]', 1, 0)}}`, 1) },
  {
    name: 'offset of 2^64',
    file: file(`{"a":${entry('U8', '[0]', '18446744073709551616', '18446744073709551616')}}`),
  },
  {
    name: 'offset of 2^63',
    file: file(`{"a":${entry('U8', '[0]', '9223372036854775808', '9223372036854775808')}}`),
  },
  { name: 'one offset', file: file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}}') },
  { name: 'three offsets', file: file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}}') },
  { name: 'no offsets', file: file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[]}}') },
  { name: 'more bytes than the shape has', file: file(`{"a":${entry('U8', '[1]', 0, 2)}}`, 2) },
  { name: 'fewer bytes than the shape has', file: file(`{"a":${entry('F32', '[2]', 0, 4)}}`, 4) },
  { name: 'odd count of F4', file: file(`{"a":${entry('F4', '[3]', 0, 2)}}`, 2) },
  { name: 'two F6', file: file(`{"a":${entry('F6_E3M2', '[2]', 0, 2)}}`, 2) },
  { name: 'dtype twice', file: withField('"dtype":"U8"') },
  { name: 'shape twice', file: withField('"shape":[1]') },
  { name: 'data_offsets twice', file: withField('"data_offsets":[0,1]') },
  { name: 'dtype twice by an escape', file: withField('"\\u0064type":"U8"') },
];

const BAD_METADATA: readonly Crafted[] = [
  { name: 'metadata twice', file: file('{"__metadata__":{},"__metadata__":{}}') },
  { name: 'metadata twice, first null', file: file('{"__metadata__":null,"__metadata__":{}}') },
  { name: 'metadata with a number', file: file('{"__metadata__":{"a":1}}') },
  { name: 'metadata with an object', file: file('{"__metadata__":{"a":{}}}') },
  { name: 'metadata with null', file: file('{"__metadata__":{"a":null}}') },
  { name: 'metadata as array', file: file('{"__metadata__":[]}') },
  { name: 'metadata as text', file: file('{"__metadata__":"a"}') },
  { name: 'metadata shaped like a tensor', file: file(`{"__metadata__":${EMPTY}}`) },
];

const BAD_COVERAGE: readonly Crafted[] = [
  { name: 'hole at the start', file: file(`{"a":${entry('U8', '[1]', 1, 2)}}`, 2) },
  { name: 'hole in the middle', file: file(`{"a":${U8},"b":${entry('U8', '[1]', 2, 3)}}`, 3) },
  { name: 'overlap', file: file(`{"a":${entry('U8', '[2]', 0, 2)},"b":${entry('U8', '[2]', 1, 3)}}`, 3) },
  { name: 'one range twice', file: file(`{"a":${U8},"b":${U8}}`, 1) },
  { name: 'trailing bytes', file: file(`{"a":${U8}}`, 2) },
  { name: 'missing bytes', file: file(`{"a":${entry('U8', '[2]', 0, 2)}}`, 1) },
  { name: 'data without tensors', file: file('{}', 1) },
  {
    name: 'no elements, inside another tensor',
    file: file(`{"a":${entry('U8', '[2]', 0, 2)},"b":${entry('U8', '[0]', 1, 1)}}`, 2),
  },
  { name: 'no elements, behind the end', file: file(`{"a":${U8},"b":${entry('U8', '[0]', 2, 2)}}`, 1) },
  { name: 'one name, two ranges', file: file(`{"a":${U8},"a":${entry('U8', '[1]', 1, 2)}}`, 2) },
  { name: 'one name, the longer range first', file: file(`{"a":${entry('U8', '[2]', 0, 2)},"a":${U8}}`, 2) },
];

const GOOD: readonly Crafted[] = [
  { name: 'nothing', file: file('{}') },
  { name: 'one tensor', file: file(`{"a":${U8}}`, 1) },
  { name: 'white space around', file: file(` \t\r\n{ "a" : ${U8} } \n\r\t`, 1) },
  { name: 'metadata null', file: file(`{"__metadata__":null,"a":${U8}}`, 1) },
  { name: 'metadata empty', file: file('{"__metadata__":{}}') },
  { name: 'metadata last', file: file(`{"a":${U8},"__metadata__":{"k":"v"}}`, 1) },
  { name: 'metadata by an escape', file: file(`{"__metad\\u0061ta__":{"k":"v"},"a":${U8}}`, 1) },
  { name: 'metadata key twice', file: file(`{"__metadata__":{"k":"1","k":"2"},"a":${U8}}`, 1) },
  { name: 'metadata __proto__', file: file('{"__metadata__":{"__proto__":"x"}}') },
  { name: 'unknown field', file: withField('"x":{"y":[1,-2.5e-3,true,false,null,"z"]}') },
  { name: 'unknown field twice', file: withField('"x":1,"x":2') },
  { name: 'unknown field, 40 digits', file: withField(`"x":${'9'.repeat(40)}`) },
  { name: 'unknown field, 1e-999', file: withField('"x":1e-999') },
  { name: 'arrays 127 deep', file: nested(125, '[', ']') },
  { name: 'objects 127 deep', file: nested(125, '{"x":', '}', '1') },
  { name: 'fields in another order', file: file('{"a":{"data_offsets":[0,1],"dtype":"U8","shape":[1]}}', 1) },
  {
    name: 'field by an escape',
    file: file('{"a":{"\\u0064type":"\\u00558","shape":[1],"data_offsets":[0,1]}}', 1),
  },
  {
    name: 'no elements at both ends',
    file: file(`{"c":${entry('U8', '[0]', 2, 2)},"a":${entry('U8', '[2]', 0, 2)},"b":${EMPTY}}`, 2),
  },
  {
    name: 'no elements, a side of 2^40 behind',
    file: file(`{"a":${entry('U8', '[0,1099511627776,1099511627776]', 0, 0)}}`),
  },
  {
    name: 'no elements, sides of 2^60 before',
    file: file(`{"a":${entry('U8', '[1073741824,1073741824,0]', 0, 0)}}`),
  },
  {
    name: 'no elements, named behind what it is before',
    file: file(`{"a":${entry('U8', '[2]', 0, 2)},"b":${EMPTY}}`, 2),
  },
  { name: 'scalar', file: file(`{"a":${entry('F32', '[]', 0, 4)}}`, 4) },
  { name: 'ten dimensions', file: withShape('[1,1,1,1,1,1,1,1,1,1]') },
  { name: 'data in another order', file: file(`{"a":${entry('U8', '[1]', 1, 2)},"b":${U8}}`, 2) },
  { name: 'data that is not aligned', file: file(`{"a":${U8},"b":${entry('F32', '[1]', 1, 5)}}`, 5) },
  { name: 'header that is not aligned', file: file(`{"a":${entry('F64', '[1]', 0, 8)}} `, 8) },
  { name: 'empty name', file: file(`{"":${U8}}`, 1) },
  { name: 'newline in a name', file: file(`{"a\\nb":${U8}}`, 1) },
  { name: 'NUL in a name', file: file(`{"a\\u0000":${U8}}`, 1) },
  { name: 'DEL in a name', file: file(`{"a\x7f":${U8}}`, 1) },
  { name: 'every escape in a name', file: file(`{"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC":${U8}}`, 1) },
  { name: 'surrogate pair in a name', file: file(`{"\\ud83d\\ude00":${U8}}`, 1) },
  { name: 'UTF-8 in a name', file: file(`{"é€😀":${U8}}`, 1) },
  { name: '__proto__ as a name', file: file(`{"__proto__":${U8}}`, 1) },
  { name: 'constructor as a name', file: file(`{"constructor":${U8}}`, 1) },
  { name: 'four F6', file: file(`{"a":${entry('F6_E2M3', '[4]', 0, 3)}}`, 3) },
  { name: 'two F4', file: file(`{"a":${entry('F4', '[2]', 0, 1)}}`, 1) },
  { name: 'BOOL of 2', file: Buffer.concat([file(`{"a":${entry('BOOL', '[1]', 0, 1)}}`), Uint8Array.of(2)]) },
  { name: 'an entry word for word again', file: file(`{"a":${U8},"a":${U8}}`, 1) },
  { name: 'an entry again, name by an escape', file: file(`{"a":${U8},"\\u0061":${U8}}`, 1) },
];

/** Every dtype of the format, one tensor of 8 elements each. */
const DTYPES: readonly (readonly [name: string, bits: number])[] = [
  ...['BOOL', 'U8', 'I8', 'F8_E5M2', 'F8_E4M3', 'F8_E8M0', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ'].map(
    (name) => [name, 8] as const,
  ),
  ...['I16', 'U16', 'F16', 'BF16'].map((name) => [name, 16] as const),
  ...['I32', 'U32', 'F32'].map((name) => [name, 32] as const),
  ...['C64', 'F64', 'I64', 'U64'].map((name) => [name, 64] as const),
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
];

const STRICTER: readonly Crafted[] = [
  {
    name: 'one name, the last range covers all',
    file: file(`{"a":${U8},"a":${entry('U8', '[2]', 0, 2)}}`, 2),
    stricter: 'readers disagree on which of the two counts',
  },
  {
    name: 'one name, two dtypes',
    file: file(`{"a":${U8},"a":${entry('I8', '[1]', 0, 1)}}`, 1),
    stricter: 'readers disagree on which of the two counts',
  },
  { name: 'entry as array', file: file('{"a":["U8",[1],[0,1]]}', 1), stricter: 'the format says object' },
  {
    name: 'dtype as object',
    file: file('{"a":{"dtype":{"U8":null},"shape":[1],"data_offsets":[0,1]}}', 1),
    stricter: 'the format says text',
  },
  {
    name: 'no elements, a side of 2^64 - 1',
    file: file(`{"a":${entry('U8', '[0,18446744073709551615]', 0, 0)}}`),
    stricter: 'a number of JavaScript does not hold the side',
  },
];

/** All of them, names unique. */
export const CRAFTED: readonly Crafted[] = [
  ...BAD_LENGTHS,
  ...BAD_JSON,
  ...BAD_FIELDS,
  ...BAD_METADATA,
  ...BAD_COVERAGE,
  ...GOOD,
  ...DTYPES.map(([name, bits]) => ({
    name: `dtype ${name}`,
    file: file(`{"a":${entry(name, '[2,4]', 0, bits)}}`, bits),
  })),
  ...STRICTER,
];
