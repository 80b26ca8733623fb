/** Runs single patterns for the shell, which asks for captures when a plugin does. */
import { REGEX, REGEX_BYTES, RegexProgram } from '../layout';
import { isProgram } from './program';
import { MACHINE_END, SLOTS_FOUND, search } from './regex';
import { isUtf8 } from './utf8';

/** What the machine leaves of its region. */
export const SCRATCH_SPACE: usize = (MACHINE_END + 15) & ~15;
const SCRATCH_END: usize = REGEX + REGEX_BYTES;

/** See regex_search of the export surface. */
export function searchFor(pattern: usize, bytes: u32, text: usize, length: u32): usize {
  if (pattern < SCRATCH_SPACE || text < SCRATCH_SPACE) return 0;
  if (<u64>pattern + bytes > SCRATCH_END || <u64>text + length > SCRATCH_END) return 0;
  if (!isProgram(pattern, bytes)) return 0;
  if (!changetype<RegexProgram>(pattern).bytes && !isUtf8(text, length)) return 0;
  return search(pattern, text, length, true) ? SLOTS_FOUND : 0;
}
