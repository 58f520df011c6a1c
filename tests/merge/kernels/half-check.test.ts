import { setFlagsFromString } from 'node:v8';
import binaryen from 'binaryen';
import { expect, onTestFinished, test } from 'vitest';
import { readKernels } from '../../../bridge/build/build-kernels.ts';
import { checkHalves } from '../../../nodes/merge/kernels/half-check.ts';

/** The half kernels, an expression of an instruction's operand, `(local.get 0)`, in its place. */
async function compileWith(instruction: string, other: string): Promise<WebAssembly.Module> {
  const built = binaryen.readBinary(await readKernels('half'));
  const calls = built.emitText().replaceAll(`(${instruction}\n`, '(call $other\n');
  const text = calls.replace(/\)\s*$/, `(func $other (param v128) (result v128) ${other}))`);
  const changed = binaryen.parseText(text);
  changed.setFeatures(binaryen.Features.All);
  onTestFinished(() => {
    built.dispose();
    changed.dispose();
  });
  return compile(Uint8Array.from(changed.emitBinary()));
}

function compile(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  setFlagsFromString('--experimental-wasm-fp16');
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    setFlagsFromString('--no-experimental-wasm-fp16');
  }
}

/** Whether V8 knows the instructions; what they are made into may still be wrong. */
async function knowsInstructions(): Promise<boolean> {
  if (process.arch !== 'x64') return false;
  const bytes = await readKernels('half');
  try {
    return compile(bytes) !== undefined;
  } catch (error) {
    if (error instanceof Error && error.name === 'CompileError') return false;
    throw error;
  }
}

const now = (): number => performance.now();
const isHere = await knowsInstructions();

test.runIf(isHere)('the kernels as they are built are exact', async () => {
  const { isExact, nanoseconds } = checkHalves(
    await compileWith('f32x4.promote_low_f16x8', '(f32x4.promote_low_f16x8 (local.get 0))'),
    now,
  );
  expect(isExact).toBe(true);
  expect(nanoseconds).toBeGreaterThan(0);
});

const NOT_EXACT: Readonly<Record<string, readonly [string, string]>> = {
  'codes taken for whole numbers': ['f32x4.promote_low_f16x8', '(f32x4.convert_i32x4_s (local.get 0))'],
  'rounding towards zero': [
    'f16x8.demote_f32x4_zero',
    `(f16x8.demote_f32x4_zero (v128.and (local.get 0) (i32x4.splat (i32.const 0xffffe000))))`,
  ],
  'ties away from zero': [
    'f16x8.demote_f32x4_zero',
    `(f16x8.demote_f32x4_zero (v128.or (local.get 0) (i32x4.splat (i32.const 1))))`,
  ],
  'the absolute value': ['f16x8.demote_f32x4_zero', '(f16x8.demote_f32x4_zero (f32x4.abs (local.get 0)))'],
};

test.runIf(isHere).each(Object.entries(NOT_EXACT))('%s is found', async (_, [instruction, other]) => {
  expect(checkHalves(await compileWith(instruction, other), now).isExact).toBe(false);
});
