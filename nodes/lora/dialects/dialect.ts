import type { AdapterKind, AdapterModule, Role } from '../adapter-module.ts';

/** One way of naming the tensors of one kind of adapter: a target's name, then a suffix. */
export type Dialect = {
  readonly id: string;
  /** Which kind it is may show in the number of a tensor's axes. */
  readonly kind: AdapterKind | ((rank: (role: Role) => number) => AdapterKind | undefined);
  readonly part?: AdapterModule['part'];
  /** Suffix, with its leading `.` or `_`, to role. */
  readonly suffixes: Readonly<Record<string, Role>>;
  /** Sets of roles, of which one must be complete. */
  readonly needs: readonly (readonly Role[])[];
  /** Whether the magnitudes of DoRA and α of the target belong to it. */
  readonly isScaled: boolean;
  /** How the suffixes' own magnitudes are laid out. */
  readonly magnitudes?: 'output';
  readonly isTransposed?: true;
};
