/**
 * The export surface of the module behind stand-alone queues: the core's rings and nothing else,
 * over a memory that grows as they fill. `assembly/index.ts` documents the functions; here, too,
 * nothing traps for bad input, and every reservation may move the memory's end, so that views of it
 * must be taken anew.
 */
export {
  ringBytes as ring_bytes,
  ringCommit as ring_commit,
  ringCount as ring_count,
  ringFirst as ring_first,
  ringNext as ring_next,
  ringOpen as ring_open,
  ringRelease as ring_release,
  ringReserve as ring_reserve,
} from './ring';
