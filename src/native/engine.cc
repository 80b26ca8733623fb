#include "engine.h"

#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <ctime>

namespace headgate {

namespace {

/** Sockets that one look at the set names; the rest is named by the next. */
constexpr int kHappeningsMax = 512;
/** Each of them posts at most two events, and what was posted before comes first. */
constexpr uint32_t kEventsReserved = 2 * kHappeningsMax;

}  // namespace

Engine::Engine(Host* host, EngineOptions options)
    : host_(host), memory_(options.memory), options_(std::move(options)) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
}

Engine::~Engine() {
  stop();
  reap();
  if (epoll_ >= 0) close(epoll_);
}

double Engine::nowMs() const {
  return static_cast<double>(uv_hrtime()) / 1e6 + options_.clockOffsetMs;
}

bool Engine::watchLoop(int descriptor) {
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &wanted) == 0;
}

void Engine::unwatchLoop(int descriptor) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
}

void Engine::run(int patienceMs) {
  if (running_ || stopped_) return;
  running_ = true;
  collect(patienceMs);
  if (eventCount_ > 0) batch();
  running_ = false;
  reap();
}

/** What was posted, then what was left over, then what the kernel names. */
void Engine::collect(int patienceMs) {
  const int sleepMs = hasWork() ? 0 : patienceMs;
  eventCount_ = 0;
  bump_ = layout::READ;
  batchSerial_++;
  takePosted();
  reading_.swap(ready_);
  for (Slot* slot : reading_) {
    slot->listed = false;
    if (slot->dead) continue;
    if (slot->kind == SlotKind::kListener) accept(slot);
    else read(slot);
  }
  reading_.clear();
  epoll_event happened[kHappeningsMax];
  const int count = epoll_wait(epoll_, happened, kHappeningsMax, sleepMs);
  loopReady_ = false;
  for (int i = 0; i < count; i++) {
    Slot* const slot = static_cast<Slot*>(happened[i].data.ptr);
    if (slot) handle(slot, happened[i].events);
    else loopReady_ = true;
  }
}

void Engine::takePosted() {
  const size_t room = layout::LIMIT_EVENTS_PER_BATCH - kEventsReserved;
  const size_t count = posted_.size() < room ? posted_.size() : room;
  for (size_t i = 0; i < count; i++) {
    const Record& event = posted_[i];
    push(event.type, event.connection, event.a, event.b);
    if (event.type == layout::EVENT_ERROR) failedIds_.push_back(event.connection);
  }
  posted_.erase(posted_.begin(), posted_.begin() + static_cast<ptrdiff_t>(count));
}

void Engine::handle(Slot* slot, uint32_t happened) {
  if (slot->dead) return;
  if (slot->kind == SlotKind::kListener) {
    slot->readable = true;
    if (!slot->listed) accept(slot);
    return;
  }
  if (slot->connecting) {
    if (happened & (EPOLLOUT | EPOLLERR | EPOLLHUP)) finishConnect(slot);
    if (slot->dead || slot->connecting) return;
  }
  if (happened & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) slot->hungUp = true;
  if (happened & EPOLLOUT && !slot->unsent.empty()) flush(slot);
  if (slot->dead || !(happened & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))) return;
  slot->readable = true;
  if (!slot->listed) read(slot);
}

/** Hands the events over, all of them; false where the core or a command of it failed. */
bool Engine::batch() {
  uint32_t left = eventCount_;
  for (;;) {
    if (options_.writesClock) writeClock();
    const int64_t commandCount = host_->process(left);
    // A plugin may have closed the gateway meanwhile.
    if (stopped_) return false;
    if (commandCount < 0 || !carryOut(static_cast<uint32_t>(commandCount))) {
      stop();
      return false;
    }
    const uint32_t taken = at<uint32_t>(layout::CONTROL + layout::CONTROL_EVENTS_TAKEN_AT);
    if (taken >= left) break;
    left -= taken;
    Record* events = &at<Record>(layout::EVENTS);
    memmove(events, events + taken, left * sizeof(Record));
  }
  eventCount_ = 0;
  releaseFailed();
  // Behind what these commands posted: a peer that is full is known before the work goes on.
  if (at<uint32_t>(layout::CONTROL + layout::CONTROL_MORE_AT)) {
    posted_.push_back({layout::EVENT_TICK, 0, 0, 0});
  }
  return true;
}

/** An ERROR is the last event of its id, whatever the core answered. */
void Engine::releaseFailed() {
  for (const uint32_t id : failedIds_) {
    Slot* slot = ids_.slot(id);
    ids_.release(id);
    if (slot) destroy(slot, true);
  }
  failedIds_.clear();
}

void Engine::writeClock() {
  at<double>(layout::CONTROL + layout::CONTROL_NOW_MS_AT) = nowMs();
  timespec wall;
  clock_gettime(CLOCK_REALTIME, &wall);
  at<double>(layout::CONTROL + layout::CONTROL_WALL_MS_AT) =
      static_cast<double>(wall.tv_sec) * 1000.0 + static_cast<double>(wall.tv_nsec / 1000) / 1000.0;
}

bool Engine::isFull() const {
  const uint32_t end = layout::READ + layout::READ_BYTES;
  return eventCount_ + kEventsReserved > layout::LIMIT_EVENTS_PER_BATCH ||
         bump_ + options_.headRoomBytes + options_.readBytes > end;
}

void Engine::push(uint32_t type, uint32_t id, uint32_t a, uint32_t b) {
  if (eventCount_ >= layout::LIMIT_EVENTS_PER_BATCH) {
    posted_.push_back({type, id, a, b});
    return;
  }
  (&at<Record>(layout::EVENTS))[eventCount_++] = {type, id, a, b};
}

void Engine::list(Slot* slot) {
  if (slot->listed) return;
  slot->listed = true;
  ready_.push_back(slot);
}

Slot* Engine::make(SlotKind kind, int fd) {
  Slot* slot = new Slot(kind);
  slot->fd = fd;
  slotCount_++;
  return slot;
}

/** Once for the life of a socket: edges of both directions, so that nothing is ever changed. */
bool Engine::watch(Slot* slot) {
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  wanted.data.ptr = slot;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, slot->fd, &wanted) == 0;
}

void Engine::destroy(Slot* slot, bool reset) {
  if (slot->dead) return;
  slot->dead = true;
  dropDeadline(slot);
  if (slot->closing) closingCount_--;
  slot->unsent.clear();
  if (slot->fd >= 0) closeDescriptor(slot->fd, reset);
  slot->fd = -1;
  slotCount_--;
  dead_.push_back(slot);
}

void Engine::reap() {
  size_t kept = 0;
  for (Slot* slot : dead_) {
    if (slot->listed) dead_[kept++] = slot;
    else delete slot;
  }
  dead_.resize(kept);
}

void Engine::post(const Record& event) {
  if (stopped_) return;
  if (running_) {
    posted_.push_back(event);
    return;
  }
  running_ = true;
  eventCount_ = 0;
  push(event.type, event.connection, event.a, event.b);
  batch();
  running_ = false;
  reap();
}

bool Engine::needsTick() const {
  if (stopped_) return false;
  const uint32_t timers = layout::CONTROL + layout::CONTROL_TIMERS_AT;
  return starved_ || !deadlines_.empty() || *reinterpret_cast<uint32_t*>(memory_ + timers) > 0;
}

void Engine::tick() {
  if (stopped_) return;
  sweep();
  if (starved_) {
    starved_ = false;
    for (Slot* listener : listeners_) list(listener);
  }
  post({layout::EVENT_TICK, 0, 0, 0});
}

void Engine::stop() {
  if (stopped_) return;
  stopped_ = true;
  stopListening();
  for (uint32_t index = 0; index < Ids::kCount; index++) {
    if (Slot* slot = ids_.at(index)) destroy(slot, true);
  }
  while (!deadlines_.empty()) destroy(deadlines_.back(), true);
  for (Slot* slot : ready_) slot->listed = false;
  ready_.clear();
  posted_.clear();
}

}  // namespace headgate
