/** Proves that a compiled pattern keeps the machine inside of it. */
// raw memory: words of the classes
import {
  LIMIT_REGEX_GROUPS,
  LIMIT_REGEX_INSTRUCTIONS,
  REGEX_INSTRUCTION_SIZE,
  REGEX_OP_CHARACTER,
  REGEX_OP_CLASS,
  REGEX_OP_JUMP,
  REGEX_OP_MATCH,
  REGEX_OP_NOT_WORD,
  REGEX_OP_SPLIT,
  REGEX_OP_WORD,
  REGEX_PROGRAM_SIZE,
  RegexInstruction,
  RegexProgram,
} from '../layout';

/** True where the n bytes at p are a program whose jumps and classes stay inside it. */
export function isProgram(p: usize, n: u32): bool {
  if ((p & 3) != 0 || n < REGEX_PROGRAM_SIZE) return false;
  const program = changetype<RegexProgram>(p);
  const count = program.instructionCount;
  const classWords = program.classWords;
  if (count == 0 || count > LIMIT_REGEX_INSTRUCTIONS) return false;
  if (program.slotCount < 2 || program.slotCount > 2 * (LIMIT_REGEX_GROUPS + 1)) return false;
  const classesAt = REGEX_PROGRAM_SIZE + <usize>count * REGEX_INSTRUCTION_SIZE;
  if (<u64>classesAt + (<u64>classWords << 2) > <u64>n) return false;
  const classes = p + classesAt;
  for (let i: u32 = 0; i < count; i++) {
    const at = p + REGEX_PROGRAM_SIZE + <usize>i * REGEX_INSTRUCTION_SIZE;
    if (!isInstruction(changetype<RegexInstruction>(at), i, count, classes, classWords)) {
      return false;
    }
  }
  return true;
}

function isInstruction(
  instruction: RegexInstruction,
  index: u32,
  count: u32,
  classes: usize,
  classWords: u32,
): bool {
  const x = instruction.x;
  switch (instruction.op) {
    case REGEX_OP_MATCH:
      return true;
    case REGEX_OP_JUMP:
      return x < count;
    case REGEX_OP_SPLIT:
      return x < count && instruction.y < count;
    case REGEX_OP_CLASS:
    case REGEX_OP_WORD:
    case REGEX_OP_NOT_WORD:
      return index + 1 < count && isClass(classes, classWords, x);
    default:
      return (
        index + 1 < count &&
        instruction.op >= REGEX_OP_CHARACTER &&
        instruction.op < REGEX_OP_NOT_WORD
      );
  }
}

/** True where the bits, the count and the ranges of the class at that word are inside. */
function isClass(classes: usize, classWords: u32, at: u32): bool {
  if (<u64>at + 5 > <u64>classWords) return false;
  const ranges = load<u32>(classes + (<usize>at << 2), 16);
  return <u64>at + 5 + (<u64>ranges << 1) <= <u64>classWords;
}
