/**
 * Runs compiled patterns: every alternative advances through the text side by side (Thompson,
 * Pike), so that a search takes time in proportion to text times program and stalls nobody.
 */
// raw memory: the sparse sets and slots of the threads live in the regex region
import {
  LIMIT_REGEX_GROUPS,
  LIMIT_REGEX_INSTRUCTIONS,
  REGEX,
  REGEX_BYTES,
  REGEX_INSTRUCTION_SIZE,
  REGEX_OP_CHARACTER,
  REGEX_OP_CLASS,
  REGEX_OP_END,
  REGEX_OP_JUMP,
  REGEX_OP_LINE_END,
  REGEX_OP_LINE_START,
  REGEX_OP_MATCH,
  REGEX_OP_NOT_WORD,
  REGEX_OP_SAVE,
  REGEX_OP_SPLIT,
  REGEX_OP_START,
  REGEX_OP_WORD,
  REGEX_PROGRAM_SIZE,
  RegexInstruction,
  RegexProgram,
} from '../layout';
import { classHas, decode } from './code-point';

/** Slots of the last match: u32 offsets in the text, NONE where a group took no part. */
export const SLOTS_FOUND: usize = REGEX;
export const NONE: u32 = u32.MAX_VALUE;

const SLOTS_MAX: usize = 2 * (<usize>LIMIT_REGEX_GROUPS + 1);
const THREADS: usize = <usize>LIMIT_REGEX_INSTRUCTIONS;
/** Set of instructions in the order of preference, then where each stands in it. */
const LIST_BYTES: usize = THREADS * 8;
const LIST_A: usize = SLOTS_FOUND + SLOTS_MAX * 4;
const LIST_B: usize = LIST_A + LIST_BYTES;
/** Work of one closure: instructions to visit, or slots to put back, 8 bytes each. */
const STACK: usize = LIST_B + LIST_BYTES;
const SLOTS_A: usize = STACK + THREADS * 2 * 8 + 16;
const SLOTS_B: usize = SLOTS_A + THREADS * SLOTS_MAX * 4;
/** First byte behind what the machine uses of the region. */
export const MACHINE_END: usize = SLOTS_B + THREADS * SLOTS_MAX * 4;
/** Marks a stack entry that puts a slot back. */
const RESTORE: u32 = 0x80000000;

let program: RegexProgram = changetype<RegexProgram>(0);
let code: usize = 0;
let classes: usize = 0;
let text: usize = 0;
let textEnd: usize = 0;
/** Slots kept per thread in this run. */
let slotCount: u32 = 0;
/** The code points on both sides of the position of the closure; NONE at the ends. */
let before: u32 = 0;
let after: u32 = 0;

/**
 * Searches the n bytes at p, which are UTF-8 unless the program says otherwise, for the leftmost
 * match and returns true where there is one; then SLOTS_FOUND holds start and end, and with
 * `captures` the slots of every group.
 */
export function search(at: usize, p: usize, n: usize, captures: bool): bool {
  assert(MACHINE_END <= REGEX + REGEX_BYTES);
  program = changetype<RegexProgram>(at);
  code = at + REGEX_PROGRAM_SIZE;
  classes = code + <usize>program.instructionCount * REGEX_INSTRUCTION_SIZE;
  slotCount = captures ? program.slotCount : 2;
  text = p;
  textEnd = p + n;
  let current = LIST_A;
  let currentSlots = SLOTS_A;
  let next = LIST_B;
  let nextSlots = SLOTS_B;
  let count: u32 = 0;
  let found = false;
  before = NONE;
  for (;;) {
    const decoded = p < textEnd ? codeAt(p) : <u64>NONE;
    after = fold(<u32>decoded);
    if (!found && (p == text || !program.anchored)) {
      clearSlots();
      count = close(current, count, currentSlots, 0, <u32>(p - text));
    }
    if (count == 0) break;
    const stepEnd = p + <usize>(decoded >> 32);
    const c = after;
    before = c;
    after = stepEnd < textEnd ? fold(<u32>codeAt(stepEnd)) : NONE;
    let nextCount: u32 = 0;
    for (let i: u32 = 0; i < count; i++) {
      const pc = load<u32>(current + (i << 2));
      const instruction = instructionAt(pc);
      if (instruction.op == REGEX_OP_MATCH) {
        memory.copy(SLOTS_FOUND, currentSlots + <usize>((pc * slotCount) << 2), slotCount << 2);
        found = true;
        // threads after this one are less preferred
        break;
      }
      if (c == NONE || !takes(instruction, c)) continue;
      memory.copy(SCRATCH, currentSlots + <usize>((pc * slotCount) << 2), slotCount << 2);
      nextCount = close(next, nextCount, nextSlots, pc + 1, <u32>(stepEnd - text));
    }
    if (p == textEnd) break;
    p = stepEnd;
    const list = current;
    current = next;
    next = list;
    const slots = currentSlots;
    currentSlots = nextSlots;
    nextSlots = slots;
    count = nextCount;
  }
  return found;
}

/** Start and end of the last match, in bytes from the start of its text. */
// @ts-ignore: decorator
@inline
export function matchStart(): u32 {
  return load<u32>(SLOTS_FOUND);
}

// @ts-ignore: decorator
@inline
export function matchEnd(): u32 {
  return load<u32>(SLOTS_FOUND, 4);
}

/** Slots of the thread that a closure starts from. */
const SCRATCH: usize = memory.data(256);

function clearSlots(): void {
  memory.fill(SCRATCH, 0xff, slotCount << 2);
}

/**
 * Adds the instruction and all that it reaches without taking a character to the list, preferred
 * ones first, each once; returns the new count. Slots of SCRATCH are set on the way.
 */
function close(list: usize, count: u32, slots: usize, start: u32, position: u32): u32 {
  store<u32>(STACK, start);
  stack = STACK + 8;
  while (stack > STACK) {
    stack -= 8;
    let pc = load<u32>(stack);
    if (pc & RESTORE) {
      store<u32>(SCRATCH + (<usize>(pc & ~RESTORE) << 2), load<u32>(stack, 4));
      continue;
    }
    while (pc != NONE && !isIn(list, count, pc)) {
      store<u32>(list + (<usize>count << 2), pc);
      store<u32>(list + THREADS * 4 + (<usize>pc << 2), count);
      count++;
      pc = follow(slots, pc, position);
    }
  }
  return count;
}

/** Top of the stack of the closure that runs. */
let stack: usize = 0;

// @ts-ignore: decorator
@inline
function isIn(list: usize, count: u32, pc: u32): bool {
  const index = load<u32>(list + THREADS * 4 + (<usize>pc << 2));
  return index < count && load<u32>(list + (<usize>index << 2)) == pc;
}

/** The instruction that a thread goes on with right away; NONE where it waits for a character. */
function follow(slots: usize, pc: u32, position: u32): u32 {
  const instruction = instructionAt(pc);
  switch (instruction.op) {
    case REGEX_OP_CHARACTER:
    case REGEX_OP_CLASS:
    case REGEX_OP_MATCH:
      memory.copy(slots + <usize>((pc * slotCount) << 2), SCRATCH, slotCount << 2);
      return NONE;
    case REGEX_OP_JUMP:
      return instruction.x;
    case REGEX_OP_SPLIT:
      store<u32>(stack, instruction.y);
      stack += 8;
      return instruction.x;
    case REGEX_OP_SAVE:
      if (instruction.x < slotCount) {
        const slot = SCRATCH + (<usize>instruction.x << 2);
        store<u32>(stack, instruction.x | RESTORE);
        store<u32>(stack, load<u32>(slot), 4);
        stack += 8;
        store<u32>(slot, position);
      }
      return pc + 1;
    default:
      return holds(instruction) ? pc + 1 : NONE;
  }
}

/** True where an assertion holds between `before` and `after`. */
function holds(instruction: RegexInstruction): bool {
  switch (instruction.op) {
    case REGEX_OP_START:
      return before == NONE;
    case REGEX_OP_END:
      return after == NONE;
    case REGEX_OP_LINE_START:
      return before == NONE || before == 10;
    case REGEX_OP_LINE_END:
      return after == NONE || after == 10;
    case REGEX_OP_WORD:
      return isWord(instruction, before) != isWord(instruction, after);
    case REGEX_OP_NOT_WORD:
      return isWord(instruction, before) == isWord(instruction, after);
    default:
      return false;
  }
}

function isWord(instruction: RegexInstruction, c: u32): bool {
  return c != NONE && classHas(classes + (<usize>instruction.x << 2), c);
}

/** True where a thread at the instruction survives the code point. */
// @ts-ignore: decorator
@inline
function takes(instruction: RegexInstruction, c: u32): bool {
  if (instruction.op == REGEX_OP_CHARACTER) return instruction.x == c;
  if (instruction.op != REGEX_OP_CLASS) return false;
  return classHas(classes + (<usize>instruction.x << 2), c);
}

/** The character at p and the bytes it takes, as `decode`: a byte where the text is bytes. */
// @ts-ignore: decorator
@inline
function codeAt(p: usize): u64 {
  return program.bytes ? <u64>load<u8>(p) | (1 << 32) : decode(p);
}

// @ts-ignore: decorator
@inline
function fold(c: u32): u32 {
  return program.foldText && c - 65 < 26 ? c | 32 : c;
}

// @ts-ignore: decorator
@inline
function instructionAt(pc: u32): RegexInstruction {
  return changetype<RegexInstruction>(code + <usize>pc * REGEX_INSTRUCTION_SIZE);
}
