/**
 * Carries out what the core asks. It is the guard of the boundary: an id must be live and of the
 * current generation, bytes to send must lie inside one region that may leave the process. A
 * command that breaks a rule is a bug in the core and ends this data plane instead of becoming a
 * leak.
 */
#include <sys/uio.h>

#include "engine.h"

namespace headgate {

namespace {

/** Parts of one system call; a longer run takes several. */
constexpr int kPartsMax = 64;

}  // namespace

bool Engine::carryOut(uint32_t commandCount) {
  const Record* record = &at<Record>(layout::COMMANDS);
  if (commandCount > layout::LIMIT_COMMANDS_PER_BATCH) {
    return bad("is one of too many in a batch", *record);
  }
  const Record* const end = record + commandCount;
  while (record < end && !stopped_) {
    if (!check(*record)) return false;
    if (record->type == layout::COMMAND_SEND) {
      record = send(record, end);
      if (!record) return false;
      continue;
    }
    if (!carryOutOne(*record)) return false;
    record++;
  }
  return true;
}

bool Engine::check(const Record& record) {
  const uint32_t index = record.connection & 0xffff;
  if (record.type == layout::COMMAND_CONNECT) {
    if (index >= Ids::kCount) return bad("names a connection that cannot be", record);
    if (index < Ids::kDownstream) return bad("connects a downstream id", record);
    return ids_.isUsed(index) ? bad("connects an index in use", record) : true;
  }
  const Slot* slot = ids_.slot(record.connection);
  if (!slot || slot->announcing) return bad("names a connection that is gone", record);
  return true;
}

bool Engine::carryOutOne(const Record& record) {
  if (record.type == layout::COMMAND_CONNECT) {
    connectUpstream(record);
    return true;
  }
  const uint32_t id = record.connection;
  Slot* slot = ids_.slot(id);
  switch (record.type) {
    case layout::COMMAND_CLOSE:
      ids_.release(id);
      beginClose(slot, record.a == 1);
      return true;
    case layout::COMMAND_ABORT:
      ids_.release(id);
      destroy(slot, true);
      return true;
    case layout::COMMAND_PAUSE:
      slot->paused = true;
      return true;
    case layout::COMMAND_RESUME:
      slot->paused = false;
      if (slot->readable) list(slot);
      return true;
    case layout::COMMAND_SHUTDOWN:
      slot->finWanted = true;
      if (slot->unsent.empty() && !slot->connecting) sendFin(slot);
      return true;
    default:
      return bad("is of an unknown type", record);
  }
}

/** Sums in 64 bits: a length near 2^32 must not wrap round into a region. */
bool Engine::isSendable(const Record& record) const {
  const uint64_t start = record.a;
  const uint64_t end = start + record.b;
  for (size_t i = 0; i < options_.sendable.size(); i += 2) {
    if (start >= options_.sendable[i] && end <= options_.sendable[i + 1]) return true;
  }
  return false;
}

/** One system call for a run of SENDs to one connection; returns the record behind it. */
const Record* Engine::send(const Record* from, const Record* end) {
  iovec parts[kPartsMax];
  int partCount = 0;
  uint32_t total = 0;
  const Record* record = from;
  for (; record < end && partCount < kPartsMax; record++) {
    if (record->type != layout::COMMAND_SEND || record->connection != from->connection) break;
    if (!isSendable(*record)) {
      bad("sends bytes outside the regions that may leave", *record);
      return nullptr;
    }
    parts[partCount++] = {memory_ + record->a, record->b};
    total += record->b;
  }
  transmit(ids_.slot(from->connection), parts, partCount, total);
  return record;
}

void Engine::connectUpstream(const Record& record) {
  Slot* slot = make(SlotKind::kConnection, -1);
  slot->id = record.connection;
  slot->connecting = true;
  ids_.bind(slot->id, slot);
  host_->resolve(slot->id, record.a);
}

bool Engine::bad(const char* what, const Record& record) {
  host_->badCommand(what, record);
  return false;
}

}  // namespace headgate
