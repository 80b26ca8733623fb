/**
 * One file descriptor of the driver: a listener, or a connection of either side. An idle connection
 * owns this struct and nothing else; bytes that the kernel did not take hang off it while there are
 * any. A slot outlives the core's id: after CLOSE the id is free, and the slot flushes and lingers.
 */
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace headgate {

enum class SlotKind : uint8_t { kConnection, kListener };

/** Bytes that wait for the peer, in order; memory is given back when none are left. */
class Unsent {
 public:
  ~Unsent() { clear(); }
  bool empty() const { return start_ == end_; }
  uint32_t bytes() const { return end_ - start_; }
  const uint8_t* data() const { return block_ + start_; }

  void append(const uint8_t* from, uint32_t bytes) {
    if (end_ + bytes > capacity_) makeRoom(bytes);
    memcpy(block_ + end_, from, bytes);
    end_ += bytes;
  }

  void consume(uint32_t bytes) {
    start_ += bytes;
    if (start_ == end_) clear();
  }

  void clear() {
    free(block_);
    block_ = nullptr;
    start_ = end_ = capacity_ = 0;
  }

 private:
  void makeRoom(uint32_t bytes) {
    const uint32_t held = end_ - start_;
    uint32_t wanted = capacity_ ? capacity_ : 16384;
    while (wanted < held + bytes) wanted *= 2;
    uint8_t* fresh = static_cast<uint8_t*>(malloc(wanted));
    if (!fresh) abort();
    if (held) memcpy(fresh, block_ + start_, held);
    free(block_);
    block_ = fresh;
    capacity_ = wanted;
    start_ = 0;
    end_ = held;
  }

  uint8_t* block_ = nullptr;
  uint32_t start_ = 0, end_ = 0, capacity_ = 0;
};

struct Slot {
  explicit Slot(SlotKind kind_) : kind(kind_) {}

  SlotKind kind;
  bool connecting = false;
  /** The kernel may hold bytes, an end or an error for us: edge-triggered, so it is kept here. */
  bool readable = false;
  /** The peer's FIN or an error is behind the bytes: read until it shows. */
  bool hungUp = false;
  bool paused = false;
  /** The peer's FIN was read. */
  bool ended = false;
  /** Sending failed: what the peer sent before that may still be read. */
  bool broken = false;
  /** ERROR was reported; the core knows it no more. */
  bool failed = false;
  /** BLOCKED was reported and DRAINED was not. */
  bool blocked = false;
  /** A FIN is wanted behind what is unsent; and it was sent. */
  bool finWanted = false;
  bool finSent = false;
  /** The core has closed it: flush, FIN, read and discard. */
  bool closing = false;
  /** Waits for the header of the PROXY protocol; the core has not heard of it. */
  bool announcing = false;
  bool dead = false;
  /** In the list of slots to read in the next batch. */
  bool listed = false;
  int fd = -1;
  /** The core's id, 0 while closing; of a listener its index. */
  uint32_t id = 0;
  /** Serial of the batch that last took bytes from it: one read in each. */
  uint32_t readInBatch = 0;
  /** Place in the list of slots with a deadline, -1: none. */
  int32_t deadlineIndex = -1;
  uint32_t unsentAtCheck = 0;
  /** Listener that accepted it. */
  uint32_t listener = 0;
  double cutAtMs = 0;
  Unsent unsent;
};

}  // namespace headgate
