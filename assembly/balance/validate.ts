/** Proves that a staged balancer table leads nowhere outside of it: every span and every index. */
// raw memory: indices of targets and peers
import {
  BALANCER_ALGORITHM_HASHING,
  BALANCER_ERROR_BALANCERS,
  BALANCER_ERROR_HEADER,
  BALANCER_ERROR_NONE,
  BALANCER_ERROR_PEERS,
  BALANCER_ERROR_SEQUENCE,
  BALANCER_ERROR_VIEWS,
  BALANCER_SIZE,
  BALANCER_TABLE_SIZE,
  BALANCER_VIEW_SIZE,
  Balancer,
  BalancerTable,
  BalancerView,
  LIMIT_BALANCERS,
  LIMIT_BALANCER_PEERS,
  LIMIT_BALANCER_TABLE_BYTES,
  LIMIT_TARGETS,
  PEER_SIZE,
  Peer,
} from '../layout';

const MAGIC: u32 = 0x48474254;
/** Bytes of a bit for each status below 1024. */
const STATUSES: u32 = 128;

/** balancerError code of the table at base; 0: every offset in it stays inside. */
export function balancerError(base: usize): u32 {
  const table = changetype<BalancerTable>(base);
  const bytes: u64 = table.bytes;
  if (table.magic != MAGIC || bytes < BALANCER_TABLE_SIZE) return BALANCER_ERROR_HEADER;
  if (bytes > LIMIT_BALANCER_TABLE_BYTES) return BALANCER_ERROR_HEADER;
  if (!fits(bytes, table.balancers, table.balancerCount, BALANCER_SIZE)) {
    return BALANCER_ERROR_BALANCERS;
  }
  for (let i: u32 = 0; i < table.balancerCount; i++) {
    const b = changetype<Balancer>(base + table.balancers + <usize>i * BALANCER_SIZE);
    const error = balancerFits(base, bytes, b);
    if (error != BALANCER_ERROR_NONE) return error;
  }
  return viewsFit(base, table) ? BALANCER_ERROR_NONE : BALANCER_ERROR_VIEWS;
}

/** True where count records of size bytes at a 4-byte aligned offset end inside the table. */
function fits(bytes: u64, offset: u32, count: u32, size: usize): bool {
  return (offset & 3) == 0 && <u64>offset + <u64>count * <u64>size <= bytes;
}

function spans(bytes: u64, offset: u32, length: u32): bool {
  return <u64>offset + <u64>length <= bytes;
}

function balancerFits(base: usize, bytes: u64, b: Balancer): u32 {
  if (b.slot >= LIMIT_BALANCERS || b.algorithm > BALANCER_ALGORITHM_HASHING) {
    return BALANCER_ERROR_BALANCERS;
  }
  if (
    !spans(bytes, b.hashName, b.hashNameLength) ||
    !spans(bytes, b.fallbackName, b.fallbackNameLength) ||
    !spans(bytes, b.cookie, b.cookieLength) ||
    !fits(bytes, b.goodStatuses, STATUSES, 1) ||
    !fits(bytes, b.badStatuses, STATUSES, 1)
  ) {
    return BALANCER_ERROR_BALANCERS;
  }
  if (b.peerCount > 0xffff || !fits(bytes, b.peers, b.peerCount, PEER_SIZE)) {
    return BALANCER_ERROR_PEERS;
  }
  for (let i: u32 = 0; i < b.peerCount; i++) {
    const peer = changetype<Peer>(base + b.peers + <usize>i * PEER_SIZE);
    if (peer.slot >= LIMIT_BALANCER_PEERS || !spans(bytes, peer.host, peer.hostLength)) {
      return BALANCER_ERROR_PEERS;
    }
    if (peer.nameLength > peer.hostLength || peer.weight > 0xffff) return BALANCER_ERROR_PEERS;
  }
  if (!fits(bytes, b.sequence, b.sequenceLength, 2)) return BALANCER_ERROR_SEQUENCE;
  for (let i: u32 = 0; i < b.sequenceLength; i++) {
    if (<u32>load<u16>(base + b.sequence + (i << 1)) >= b.peerCount) return BALANCER_ERROR_SEQUENCE;
  }
  return BALANCER_ERROR_NONE;
}

function viewsFit(base: usize, table: BalancerTable): bool {
  const bytes: u64 = table.bytes;
  if (!fits(bytes, table.views, table.viewCount, BALANCER_VIEW_SIZE)) return false;
  for (let i: u32 = 0; i < table.viewCount; i++) {
    const view = changetype<BalancerView>(base + table.views + <usize>i * BALANCER_VIEW_SIZE);
    if (!view.balancer) continue;
    if (view.balancer > table.balancerCount) return false;
    const at = base + table.balancers + <usize>(view.balancer - 1) * BALANCER_SIZE;
    const count = changetype<Balancer>(at).peerCount;
    if (!fits(bytes, view.targets, count, 4)) return false;
    for (let t: u32 = 0; t < count; t++) {
      if (load<u32>(base + view.targets + (t << 2)) >= LIMIT_TARGETS) return false;
    }
  }
  return true;
}
