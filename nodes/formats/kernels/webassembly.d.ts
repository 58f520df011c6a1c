/** What the project uses of WebAssembly: neither the language's library nor Node's types declare it. */
declare namespace WebAssembly {
  /** Compiled code: may be posted to workers. */
  class Module {
    constructor(bytes: Uint8Array);
  }
  /** Pages of 64 KiB. */
  class Memory {
    constructor(pages: { readonly initial: number; readonly maximum: number; readonly shared: true });
    readonly buffer: SharedArrayBuffer;
    grow(pages: number): number;
  }
  class Instance {
    constructor(module: Module, imports: { readonly env: { readonly memory: Memory } });
    readonly exports: Readonly<Record<string, unknown>>;
  }
}
