/**
 * Which ids are live. Downstream ids are given here, from a free list; upstream ids are the core's.
 * An id is index | generation << 16, so that what is said about a connection that is gone does not
 * reach the one that has its index now.
 */
#pragma once
#include <vector>

#include "layout.h"
#include "slot.h"

namespace headgate {

class Ids {
 public:
  static constexpr uint32_t kDownstream = layout::LIMIT_DOWNSTREAM_CONNECTIONS;
  static constexpr uint32_t kCount = kDownstream + layout::LIMIT_UPSTREAM_CONNECTIONS;

  Ids() : live_(kCount, 0), slots_(kCount, nullptr), generation_(kDownstream, 1) {
    for (uint32_t i = 0; i < kDownstream; i++) free_.push_back(kDownstream - 1 - i);
  }

  /** A downstream id, or 0 where limits.downstreamConnections are in use. */
  uint32_t open() {
    if (free_.empty()) return 0;
    const uint32_t index = free_.back();
    free_.pop_back();
    live_[index] = index | static_cast<uint32_t>(generation_[index]) << 16;
    return live_[index];
  }

  bool isLive(uint32_t id) const {
    const uint32_t index = id & 0xffff;
    return index < kCount && id != 0 && live_[index] == id;
  }

  bool isUsed(uint32_t index) const { return live_[index] != 0; }

  Slot* at(uint32_t index) const { return slots_[index]; }

  Slot* slot(uint32_t id) const { return isLive(id) ? slots_[id & 0xffff] : nullptr; }

  void bind(uint32_t id, Slot* slot) {
    live_[id & 0xffff] = id;
    slots_[id & 0xffff] = slot;
  }

  /** Forgets an id. Idempotent. */
  void release(uint32_t id) {
    if (!isLive(id)) return;
    const uint32_t index = id & 0xffff;
    live_[index] = 0;
    slots_[index] = nullptr;
    if (index >= kDownstream) return;
    // 0 is left out so that no id is ever 0.
    generation_[index] = generation_[index] == 0xffff ? 1 : generation_[index] + 1;
    free_.push_back(index);
  }

 private:
  std::vector<uint32_t> live_;
  std::vector<Slot*> slots_;
  std::vector<uint16_t> generation_;
  std::vector<uint32_t> free_;
};

}  // namespace headgate
