/**
 * The part of WASI (`wasi_snapshot_preview1`, also offered as `wasi_unstable`) that the runtimes of
 * Rust, C++, Go and AssemblyScript touch. There are no files, no arguments and no sockets: such
 * functions answer an errno and never trap. Standard output and error go to the log.
 */
import { randomFillSync } from 'node:crypto';
import { limits } from '../../limits.js';
import type { FilterInstance } from '../instance.js';
import type { HostFunctions } from './imports.js';
import { wallNanoseconds } from './log.js';

/** WASI errno. */
const Errno = { SUCCESS: 0, BADF: 8, FAULT: 21, INVAL: 28, NOTSUP: 58 } as const;
const characterDevice = 2;
const maxIovecs = 1024;

/** Ends an instance; code 0 during `_start` is a success. */
export class ProcExit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`proc_exit(${exitCode})`);
    this.exitCode = exitCode;
  }
}

export function wasiFunctions(instance: FilterInstance): HostFunctions {
  return {
    ...clockFunctions(instance),
    ...environmentFunctions(instance),
    ...descriptorFunctions(instance),

    random_get(pointer: number, size: number): number {
      const { memory } = instance;
      if (size >>> 0 > limits.filterRandomBytes.value) return Errno.INVAL;
      if (!memory.holds(pointer, size)) return Errno.FAULT;
      randomFillSync(memory.range(pointer, size));
      return Errno.SUCCESS;
    },

    proc_exit(code: number): never {
      throw new ProcExit(code);
    },

    sched_yield: () => Errno.SUCCESS,

    poll_oneoff(_in: number, _out: number, _count: number, eventsOut: number): number {
      const { memory } = instance;
      if (!memory.holds(eventsOut, 4)) return Errno.FAULT;
      memory.putU32(eventsOut, 0);
      return Errno.SUCCESS;
    },
  };
}

function clockFunctions(instance: FilterInstance): HostFunctions {
  const put = (out: number, value: bigint): number => {
    const { memory } = instance;
    if (!memory.holds(out, 8)) return Errno.FAULT;
    memory.putU64(out, value);
    return Errno.SUCCESS;
  };
  return {
    clock_time_get(id: number, _precision: bigint, out: number): number {
      if (id === 0) return put(out, wallNanoseconds(instance));
      if (id !== 1) return Errno.NOTSUP;
      return put(out, BigInt(Math.trunc(instance.options.services.clock.now() * 1e6)));
    },
    clock_res_get: (id: number, out: number) =>
      id === 0 || id === 1 ? put(out, 1_000_000n) : Errno.NOTSUP,
  };
}

function environmentFunctions(instance: FilterInstance): HostFunctions {
  const entries = (): Buffer[] =>
    Object.entries(instance.options.host.environment ?? {}).map(([name, value]) =>
      Buffer.from(`${name}=${value}\0`),
    );
  const sizes = (list: readonly Buffer[], countOut: number, bytesOut: number): number => {
    const { memory } = instance;
    if (!memory.holds(countOut, 4) || !memory.holds(bytesOut, 4)) return Errno.FAULT;
    memory.putU32(countOut, list.length);
    memory.putU32(
      bytesOut,
      list.reduce((sum, entry) => sum + entry.length, 0),
    );
    return Errno.SUCCESS;
  };
  const get = (list: readonly Buffer[], pointersOut: number, bytesOut: number): number => {
    const { memory } = instance;
    const total = list.reduce((sum, entry) => sum + entry.length, 0);
    if (!memory.holds(pointersOut, 4 * list.length) || !memory.holds(bytesOut, total)) {
      return Errno.FAULT;
    }
    let at = bytesOut >>> 0;
    list.forEach((entry, index) => {
      memory.putU32((pointersOut >>> 0) + 4 * index, at);
      memory.write(at, entry, 0, entry.length);
      at += entry.length;
    });
    return Errno.SUCCESS;
  };
  return {
    environ_sizes_get: (count: number, bytes: number) => sizes(entries(), count, bytes),
    environ_get: (pointers: number, bytes: number) => get(entries(), pointers, bytes),
    args_sizes_get: (count: number, bytes: number) => sizes([], count, bytes),
    args_get: (pointers: number, bytes: number) => get([], pointers, bytes),
  };
}

function descriptorFunctions(instance: FilterInstance): HostFunctions {
  const none = () => Errno.BADF;
  const unsupported = () => Errno.NOTSUP;
  return {
    fd_write: (fd: number, vectors: number, count: number, writtenOut: number) =>
      writeDescriptor(instance, fd, vectors, count, writtenOut),

    fd_fdstat_get(fd: number, out: number): number {
      const { memory } = instance;
      if (fd >>> 0 > 2) return Errno.BADF;
      if (!memory.holds(out, 24)) return Errno.FAULT;
      for (let i = 0; i < 24; i++) memory.putU8(out + i, 0);
      memory.putU8(out, characterDevice);
      return Errno.SUCCESS;
    },

    /** Tells the C library that there are no directories. */
    fd_prestat_get: none,
    fd_prestat_dir_name: none,
    fd_close: none,
    fd_seek: none,
    fd_read: none,
    fd_readdir: none,
    fd_filestat_get: none,
    fd_fdstat_set_flags: none,
    fd_sync: none,
    fd_pread: none,
    fd_pwrite: none,
    fd_tell: none,
    fd_allocate: none,
    fd_advise: none,
    fd_datasync: none,
    fd_renumber: none,
    fd_fdstat_set_rights: none,
    fd_filestat_set_size: none,
    fd_filestat_set_times: none,
    path_open: unsupported,
    path_filestat_get: unsupported,
    path_filestat_set_times: unsupported,
    path_create_directory: unsupported,
    path_link: unsupported,
    path_readlink: unsupported,
    path_remove_directory: unsupported,
    path_rename: unsupported,
    path_symlink: unsupported,
    path_unlink_file: unsupported,
    proc_raise: unsupported,
    sock_accept: unsupported,
    sock_recv: unsupported,
    sock_send: unsupported,
    sock_shutdown: unsupported,
  };
}

/** Output to descriptor 1 is logged at info, to 2 at error. */
function writeDescriptor(
  { memory, log }: FilterInstance,
  fd: number,
  vectors: number,
  count: number,
  writtenOut: number,
): number {
  if (fd !== 1 && fd !== 2) return Errno.BADF;
  if (count >>> 0 > maxIovecs) return Errno.INVAL;
  if (!memory.holds(vectors, 8 * (count >>> 0)) || !memory.holds(writtenOut, 4)) return Errno.FAULT;
  let text = '';
  let written = 0;
  for (let i = 0; i < count >>> 0; i++) {
    const at = (vectors >>> 0) + 8 * i;
    const pointer = memory.readU32(at);
    const size = memory.readU32(at + 4);
    if (!memory.holds(pointer, size)) return Errno.FAULT;
    if (text.length < limits.filterLogBytes.value)
      text += memory.utf8(pointer, Math.min(size, limits.filterLogBytes.value + 4));
    written += size;
  }
  log.writeStream(fd, text);
  memory.putU32(writtenOut, written);
  return Errno.SUCCESS;
}
