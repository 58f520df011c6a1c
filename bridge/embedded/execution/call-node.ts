import { ExecutionBlocker, type RunInputs } from '../../../nodes/kit/graph-node.ts';
import { nestInputs } from '../nodes/live-inputs.ts';
import { createSlices, nextTurn, type Slices } from './event-loop.ts';
import { countCalls, type GatheredInputs, inputsOfCall } from './gather-inputs.ts';

/** A call that had not ended after a turn of the event loop. */
export class PendingCall<T> {
  #end: { readonly value: T } | { readonly error: unknown } | undefined;
  /** Resolves when the call has ended, well or not. */
  readonly ended: Promise<void>;

  constructor(promise: Promise<T>) {
    this.ended = promise.then(
      (value) => {
        this.#end = { value };
      },
      (error: unknown) => {
        this.#end = { error };
      },
    );
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** What the call gave. @throws what it threw; Error while it still runs */
  get value(): T {
    if (!this.#end) throw new Error('the call is still running');
    if ('error' in this.#end) throw this.#end.error;
    return this.#end.value;
  }
}

/** One entry a call, in their order. */
export type Calls<T> = readonly (T | PendingCall<T>)[];

/** How to call. */
export type Caller<T> = {
  readonly takesLists: boolean;
  /** Before every call, blocked or not. May throw. */
  before(): void;
  /** A blocker is among its inputs: what stands for the call instead. */
  blocked(blocker: ExecutionBlocker): T;
  call(inputs: RunInputs, index: number): T | Promise<T>;
};

/**
 * Calls a function once for each element of its inputs. Nothing is awaited as long as calls give values and are
 * quick; from the first promise on, each promise has a turn of the event loop to settle before the next call starts
 * beside it.
 *
 * @throws what a call throws, or rejects with within its turn
 */
export function callForEach<T>(inputs: GatheredInputs, caller: Caller<T>): Calls<T> | Promise<Calls<T>> {
  const count = countCalls(inputs, caller.takesLists);
  const calls: (T | PendingCall<T>)[] = [];
  let slices: Slices | undefined;
  while (calls.length < count) {
    const result = callOnce(inputs, caller, calls.length);
    if (result instanceof Promise) return callRest(inputs, caller, calls, result, count);
    calls.push(result);
    // A list of thousands must neither stall the server nor be deaf to an interrupt.
    slices ??= count > 1 ? createSlices() : undefined;
    if (slices?.isOver()) return callRest(inputs, caller, calls, undefined, count);
  }
  return calls;
}

/** Every value, once every call has ended. @throws as the first call that failed */
export async function allValues<T>(calls: Calls<T>): Promise<readonly T[]> {
  for (const call of calls) if (call instanceof PendingCall) await call.ended;
  return calls.map(valueOfCall);
}

/** @throws what the call threw */
export function valueOfCall<T>(call: T | PendingCall<T>): T {
  return call instanceof PendingCall ? call.value : call;
}

export function isPending<T>(call: T | PendingCall<T>): call is PendingCall<T> {
  return call instanceof PendingCall && !call.isOver;
}

function callOnce<T>(inputs: GatheredInputs, caller: Caller<T>, index: number): T | Promise<T> {
  caller.before();
  const ofCall = inputsOfCall(inputs, index, caller.takesLists);
  const blocker = findBlocker(ofCall, caller.takesLists);
  return blocker ? caller.blocked(blocker) : caller.call(nestInputs(ofCall, inputs.paths), index);
}

async function callRest<T>(
  inputs: GatheredInputs,
  caller: Caller<T>,
  calls: (T | PendingCall<T>)[],
  first: Promise<T> | undefined,
  count: number,
): Promise<Calls<T>> {
  if (first) calls.push(await settledSoon(first));
  else await nextTurn();
  const slices = createSlices();
  while (calls.length < count) {
    const result = callOnce(inputs, caller, calls.length);
    calls.push(result instanceof Promise ? await settledSoon(result) : result);
    if (slices.isOver()) await slices.next();
  }
  return calls;
}

async function settledSoon<T>(promise: Promise<T>): Promise<T | PendingCall<T>> {
  const call = new PendingCall(promise);
  // An async function that awaited nothing is over by the next microtask.
  await undefined;
  if (!call.isOver) await nextTurn();
  return call.isOver ? call.value : call;
}

function findBlocker(inputs: RunInputs, takesLists: boolean): ExecutionBlocker | undefined {
  for (const name in inputs) {
    const value = inputs[name];
    if (value instanceof ExecutionBlocker) return value;
    if (!takesLists || !Array.isArray(value)) continue;
    const blocker: unknown = value.find((element) => element instanceof ExecutionBlocker);
    if (blocker instanceof ExecutionBlocker) return blocker;
  }
  return undefined;
}
