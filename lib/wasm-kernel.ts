const compiled = new Map<string, WebAssembly.Module | undefined>();

/**
 * Functions of a wasm module over a shared memory; the module, given in base64, is compiled once.
 * @returns undefined where this engine has no wasm SIMD or no shared memory.
 */
export function instantiateKernel<T extends object>(
  base64: string,
  memory: WebAssembly.Memory,
): T | undefined {
  try {
    if (!compiled.has(base64)) {
      compiled.set(base64, undefined);
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      compiled.set(base64, new WebAssembly.Module(bytes));
    }
    const module = compiled.get(base64);
    return module && (new WebAssembly.Instance(module, { cria: { memory } }).exports as T);
  } catch {
    return undefined;
  }
}
