/**
 * Proves that a staged table cannot lead a look-up outside of it: every array, every span and every
 * index, each exactly once. Contents are the encoder's business; only reach is checked.
 */
// raw memory: ring numbers of a route
import {
  ADDRESS_ITEM_SIZE,
  AddressItem,
  CANDIDATE_SIZE,
  CHECK_ITEM_SIZE,
  CHECK_SIZE,
  Candidate,
  Check,
  CheckItem,
  HOST_SLOT_SIZE,
  HostSlot,
  ITEM_KIND_ADDRESS,
  ITEM_KIND_EXPRESSION,
  ITEM_KIND_REGEX,
  ITEM_KIND_STARTS_WITH,
  LIMIT_BALANCER_VIEWS,
  LIMIT_RINGS,
  LIMIT_RINGS_PER_ROUTE,
  LIMIT_ROUTE_ARENA_BYTES,
  LIMIT_METRIC_SLOTS,
  LIMIT_TARGETS,
  MATCHER_SIZE,
  Matcher,
  PATH_NODE_SIZE,
  PathNode,
  ROUTE_RECORD_SIZE,
  RouteRecord,
  SERVICE_RECORD_SIZE,
  ServiceRecord,
  TABLE_ERROR_CANDIDATES,
  TABLE_ERROR_CHECKS,
  TABLE_ERROR_EXPRESSION,
  TABLE_ERROR_HEADER,
  TABLE_ERROR_HOSTS,
  TABLE_ERROR_NODES,
  TABLE_ERROR_NONE,
  TABLE_ERROR_POLICIES,
  TABLE_ERROR_REGEX,
  TABLE_ERROR_ROUTES,
  TABLE_ERROR_SERVICES,
  TABLE_HEADER_SIZE,
  TableHeader,
} from '../layout';
import { policiesFit } from '../policy/validate';
import { isExpression } from './expression-program';
import { isProgram } from './program';

const MAGIC: u32 = 0x48475254;

/** tableError code of the table at base; 0: every offset in it stays inside. */
export function tableError(base: usize): u32 {
  const header = changetype<TableHeader>(base);
  const bytes: u64 = header.bytes;
  if (header.magic != MAGIC || bytes < TABLE_HEADER_SIZE || bytes > LIMIT_ROUTE_ARENA_BYTES) {
    return TABLE_ERROR_HEADER;
  }
  if (!fits(bytes, header.matcher, 1, MATCHER_SIZE)) return TABLE_ERROR_HEADER;
  if (!routesFit(base, header)) return TABLE_ERROR_ROUTES;
  if (!servicesFit(base, header)) return TABLE_ERROR_SERVICES;
  if (!policiesFit(base, header)) return TABLE_ERROR_POLICIES;
  const matcher = changetype<Matcher>(base + header.matcher);
  if (!nodesFit(base, bytes, matcher)) return TABLE_ERROR_NODES;
  if (!hostsFit(base, bytes, matcher)) return TABLE_ERROR_HOSTS;
  if (!candidatesFit(base, header, matcher)) return TABLE_ERROR_CANDIDATES;
  if (!checksFit(base, bytes, matcher)) return TABLE_ERROR_CHECKS;
  return itemsError(base, bytes, matcher);
}

/** True where count records of size bytes at a 4-byte aligned offset end inside the table. */
function fits(bytes: u64, offset: u32, count: u32, size: usize): bool {
  return (offset & 3) == 0 && <u64>offset + <u64>count * <u64>size <= bytes;
}

/** True where a span of bytes ends inside the table. */
function spans(bytes: u64, offset: u32, length: u32): bool {
  return <u64>offset + <u64>length <= bytes;
}

/** True where [first, first + count) are indices of an array of `total`. */
function within(total: u32, first: u32, count: u32): bool {
  return <u64>first + <u64>count <= <u64>total;
}

function routesFit(base: usize, header: TableHeader): bool {
  const bytes: u64 = header.bytes;
  if (header.routeCount == u32.MAX_VALUE) return false;
  // one more for requests that match nothing
  const count = header.routeCount + 1;
  if (!fits(bytes, header.routes, count, ROUTE_RECORD_SIZE)) return false;
  for (let i: u32 = 0; i < count; i++) {
    const route = changetype<RouteRecord>(base + header.routes + <usize>i * ROUTE_RECORD_SIZE);
    if (route.service < -1 || route.service >= <i32>header.serviceCount) return false;
    if (route.metricSlot >= LIMIT_METRIC_SLOTS || route.policy > header.policyCount) return false;
    if (!spans(bytes, route.debug, route.debugLength)) return false;
    if (route.ringCount > LIMIT_RINGS_PER_ROUTE) return false;
    if (!fits(bytes, route.rings, route.ringCount, 4)) return false;
    for (let r: u32 = 0; r < route.ringCount; r++) {
      if (load<u32>(base + route.rings + (r << 2)) >= LIMIT_RINGS) return false;
    }
  }
  return true;
}

function servicesFit(base: usize, header: TableHeader): bool {
  const bytes: u64 = header.bytes;
  if (header.serviceCount > <u32>i32.MAX_VALUE) return false;
  if (!fits(bytes, header.services, header.serviceCount, SERVICE_RECORD_SIZE)) return false;
  for (let i: u32 = 0; i < header.serviceCount; i++) {
    const at = base + header.services + <usize>i * SERVICE_RECORD_SIZE;
    const service = changetype<ServiceRecord>(at);
    if (service.target >= LIMIT_TARGETS || service.pathLength == 0) return false;
    if (!spans(bytes, service.path, service.pathLength)) return false;
    if (!spans(bytes, service.host, service.hostLength)) return false;
    if (service.view > LIMIT_BALANCER_VIEWS) return false;
  }
  return true;
}

function nodesFit(base: usize, bytes: u64, matcher: Matcher): bool {
  const count = matcher.nodeCount;
  if (matcher.anyHost < -1 || (matcher.anyHost >= 0 && <u32>matcher.anyHost >= count)) return false;
  if (!fits(bytes, matcher.nodes, count, PATH_NODE_SIZE)) return false;
  for (let i: u32 = 0; i < count; i++) {
    const node = changetype<PathNode>(base + matcher.nodes + <usize>i * PATH_NODE_SIZE);
    if (!spans(bytes, node.label, node.labelLength)) return false;
    if (!within(matcher.candidateCount, node.candidates, node.candidateCount)) return false;
    if (node.childCount == 0) continue;
    if (node.firstChild <= i || !within(count, node.firstChild, node.childCount)) return false;
    if (!spans(bytes, node.firsts, node.childCount)) return false;
  }
  return true;
}

function hostsFit(base: usize, bytes: u64, matcher: Matcher): bool {
  return (
    slotsFit(base, bytes, matcher.exact, matcher.exactMask, matcher.nodeCount) &&
    slotsFit(base, bytes, matcher.bare, matcher.bareMask, matcher.nodeCount) &&
    slotsFit(base, bytes, matcher.left, matcher.leftMask, matcher.nodeCount) &&
    slotsFit(base, bytes, matcher.right, matcher.rightMask, matcher.nodeCount)
  );
}

function slotsFit(base: usize, bytes: u64, slots: u32, mask: u32, nodeCount: u32): bool {
  const count = mask + 1;
  if (count == 0 || (count & mask) != 0 || !fits(bytes, slots, count, HOST_SLOT_SIZE)) return false;
  let taken: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const slot = changetype<HostSlot>(base + slots + <usize>i * HOST_SLOT_SIZE);
    if (slot.nameLength == 0) continue;
    taken++;
    if (!spans(bytes, slot.name, slot.nameLength) || slot.root >= nodeCount) return false;
  }
  // a probe ends at a free slot
  return taken < count;
}

function candidatesFit(base: usize, header: TableHeader, matcher: Matcher): bool {
  const count = matcher.candidateCount;
  if (!fits(header.bytes, matcher.candidates, count, CANDIDATE_SIZE)) return false;
  for (let i: u32 = 0; i < count; i++) {
    const candidate = changetype<Candidate>(base + matcher.candidates + <usize>i * CANDIDATE_SIZE);
    if (candidate.route >= header.routeCount) return false;
    if (!within(matcher.checkCount, candidate.checks, candidate.checkCount)) return false;
  }
  return true;
}

function checksFit(base: usize, bytes: u64, matcher: Matcher): bool {
  if (!fits(bytes, matcher.checks, matcher.checkCount, CHECK_SIZE)) return false;
  for (let i: u32 = 0; i < matcher.checkCount; i++) {
    const check = changetype<Check>(base + matcher.checks + <usize>i * CHECK_SIZE);
    if (!spans(bytes, check.name, check.nameLength)) return false;
    if (!within(matcher.itemCount, check.items, check.itemCount)) return false;
  }
  return true;
}

function itemsError(base: usize, bytes: u64, matcher: Matcher): u32 {
  if (!fits(bytes, matcher.items, matcher.itemCount, CHECK_ITEM_SIZE)) return TABLE_ERROR_CHECKS;
  for (let i: u32 = 0; i < matcher.itemCount; i++) {
    const item = changetype<CheckItem>(base + matcher.items + <usize>i * CHECK_ITEM_SIZE);
    if (!spans(bytes, item.bytes, item.length)) return TABLE_ERROR_CHECKS;
    if (item.kind == ITEM_KIND_REGEX) {
      if (!isProgram(base + item.bytes, item.length)) return TABLE_ERROR_REGEX;
    } else if (item.kind == ITEM_KIND_ADDRESS) {
      if (!fits(bytes, item.bytes, 1, ADDRESS_ITEM_SIZE)) return TABLE_ERROR_CHECKS;
      if (changetype<AddressItem>(base + item.bytes).prefixBits > 128) return TABLE_ERROR_CHECKS;
    } else if (item.kind == ITEM_KIND_EXPRESSION) {
      if (!isExpression(base, bytes, item.bytes, item.length)) return TABLE_ERROR_EXPRESSION;
    } else if (item.kind - 1 >= ITEM_KIND_STARTS_WITH) {
      return TABLE_ERROR_CHECKS;
    }
  }
  return TABLE_ERROR_NONE;
}
