/** The module with at least so many bytes of further code, which nobody calls. */
export function largeModule(module: Uint8Array, bytes: number): Uint8Array;
