/** Compiled patterns inside a table. None can be run yet, so none is accepted. */

/** True where the n bytes at p are a program whose jumps and sets stay inside it. */
export function isProgram(p: usize, n: u32): bool {
  return false;
}
