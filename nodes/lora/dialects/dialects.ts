import type { Role } from '../adapter-module.ts';
import type { Dialect } from './dialect.ts';
import { DIFFUSERS_LAYER, DIFFUSERS_LINEAR, DIFFUSERS_PROCESSOR } from './diffusers.ts';
import { FULL_BIAS, FULL_WEIGHT, SET_WEIGHT } from './full.ts';
import { KOHYA } from './kohya.ts';
import { GLORA, LOHA, LOKR, OFT } from './lycoris.ts';
import { PEFT, PEFT_BARE, PEFT_BIAS, PEFT_DEFAULT, PEFT_EMBEDDING } from './peft.ts';

const DIALECTS: readonly Dialect[] = [
  KOHYA,
  DIFFUSERS_PROCESSOR,
  DIFFUSERS_LAYER,
  DIFFUSERS_LINEAR,
  PEFT,
  PEFT_DEFAULT,
  PEFT_BARE,
  PEFT_EMBEDDING,
  PEFT_BIAS,
  LOHA,
  LOKR,
  OFT,
  GLORA,
  FULL_WEIGHT,
  FULL_BIAS,
  SET_WEIGHT,
];

/** What belongs to every module of a target that takes it, whatever its dialect. */
const SHARED = [
  ['.alpha', 'alpha'],
  ['.dora_scale', 'magnitude'],
  ['.reshape_weight', 'reshape'],
] as const;

/** Whose a tensor is. */
export type Claim = { readonly target: string; readonly role: Role; readonly dialect?: Dialect };

/** Whose tensor a name tells: of a dialect's module, of all modules of a target (no dialect), or nobody's. */
export function claimTensor(name: string): Claim | undefined {
  for (const [suffix, role] of SHARED) {
    if (name.endsWith(suffix)) return { target: name.slice(0, -suffix.length), role };
  }
  for (const dialect of DIALECTS) {
    for (const [suffix, role] of Object.entries(dialect.suffixes)) {
      if (name.endsWith(suffix)) return { target: name.slice(0, -suffix.length), role, dialect };
    }
  }
  return undefined;
}
