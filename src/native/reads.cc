/** What comes in: connections, bytes, the ends of streams, the outcome of connecting. */
#include <unistd.h>

#include <cerrno>

#include "engine.h"

namespace headgate {

namespace {

/** Accepted per listener in one batch, so that a flood does not hold up what is established. */
constexpr int kAcceptsPerBatch = 128;
constexpr uint32_t kAlign = 63;
/** v2 of the PROXY protocol says how long its header is; longer ones are refused. */
constexpr size_t kHeaderBytesMax = layout::LIMIT_PROXY_HEADER_BYTES;

}  // namespace

int Engine::listen(const ListenRequest& request, bool proxyProtocol, Address* bound) {
  if (stopped_) return -ESHUTDOWN;
  const int fd = openListener(request, bound);
  if (fd < 0) return fd;
  Slot* slot = make(SlotKind::kListener, fd);
  slot->id = static_cast<uint32_t>(facts_.size());
  if (!watch(slot)) {
    const int error = errno;
    destroy(slot, false);
    reap();
    return -error;
  }
  listeners_.push_back(slot);
  facts_.push_back({*bound, addressPort(*bound), proxyProtocol});
  return static_cast<int>(slot->id);
}

void Engine::showPort(uint32_t listener, uint16_t port) {
  if (listener < facts_.size()) facts_[listener].shownPort = port;
}

void Engine::stopListening() {
  for (Slot* listener : listeners_) destroy(listener, false);
  listeners_.clear();
  starved_ = false;
  if (!running_) reap();
}

void Engine::accept(Slot* listener) {
  for (int i = 0; i < kAcceptsPerBatch; i++) {
    if (isFull()) break;
    Address peer;
    peer.length = sizeof peer.storage;
    auto* from = reinterpret_cast<sockaddr*>(&peer.storage);
    const int fd = accept4(listener->fd, from, &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      adopt(fd, listener, peer);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      listener->readable = false;
      return;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    // Out of descriptors or memory: those who wait stay in the queue until the next tick.
    at<double>(layout::CONTROL + layout::CONTROL_REFUSED_CONNECTIONS_AT) += 1;
    starved_ = true;
    return;
  }
  list(listener);
}

void Engine::adopt(int fd, Slot* listener, const Address& peer) {
  const uint32_t id = ids_.open();
  if (id == 0) {
    at<double>(layout::CONTROL + layout::CONTROL_REFUSED_CONNECTIONS_AT) += 1;
    close(fd);
    return;
  }
  Slot* slot = make(SlotKind::kConnection, fd);
  slot->id = id;
  slot->listener = listener->id;
  ids_.bind(id, slot);
  if (!watch(slot)) {
    ids_.release(id);
    destroy(slot, true);
    return;
  }
  if (facts_[listener->id].proxyProtocol) {
    const uint32_t timeout = layout::SETTINGS + layout::SETTINGS_CLIENT_HEADER_TIMEOUT_MS_AT;
    slot->announcing = true;
    setDeadline(slot, nowMs() + at<uint32_t>(timeout));
    return;
  }
  tell(slot, peer, nullptr);
}

/**
 * Posts ACCEPT; the facts lie in the read region, so that a batch can hold many. `local` null: the
 * address of the socket, which needs no call where the listener is bound to one.
 */
void Engine::tell(Slot* slot, const Address& peer, const Address* local) {
  const ListenerFacts& listener = facts_[slot->listener];
  uint8_t* const info = memory_ + bump_;
  memset(info, 0, layout::ACCEPT_INFO_SIZE);
  const uint16_t peerPort = putAddress(peer, info + layout::ACCEPT_INFO_PEER_ADDRESS_AT);
  Address own = local ? *local : listener.bound;
  if (!local && isWildcard(own)) {
    own.length = sizeof own.storage;
    getsockname(slot->fd, reinterpret_cast<sockaddr*>(&own.storage), &own.length);
  }
  const uint16_t ownPort = putAddress(own, info + layout::ACCEPT_INFO_LOCAL_ADDRESS_AT);
  const uint16_t flags = listener.bound.isUnix() && !local ? layout::ACCEPT_FLAG_UNIX : 0;
  const uint16_t facts[] = {peerPort, local ? ownPort : listener.shownPort,
                            static_cast<uint16_t>(slot->listener), flags};
  memcpy(info + layout::ACCEPT_INFO_PEER_PORT_AT, &facts[0], 2);
  memcpy(info + layout::ACCEPT_INFO_LOCAL_PORT_AT, &facts[1], 2);
  memcpy(info + layout::ACCEPT_INFO_LISTENER_AT, &facts[2], 2);
  memcpy(info + layout::ACCEPT_INFO_FLAGS_AT, &facts[3], 2);
  push(layout::EVENT_ACCEPT, slot->id, bump_, 0);
  bump_ = (bump_ + layout::ACCEPT_INFO_SIZE + kAlign) & ~kAlign;
}

/** One read per batch and connection: what the core may hold of one is bounded by it. */
void Engine::read(Slot* slot) {
  if (slot->dead || slot->connecting || !slot->readable) return;
  if (slot->closing) return discard(slot);
  if (slot->paused || slot->ended || slot->failed) return;
  if (isFull() || slot->readInBatch == batchSerial_) return list(slot);
  if (slot->announcing) return peekHeader(slot);
  const uint32_t from = bump_ + options_.headRoomBytes;
  const ssize_t count = recv(slot->fd, memory_ + from, options_.readBytes, 0);
  if (count > 0) {
    slot->readInBatch = batchSerial_;
    bump_ = (from + static_cast<uint32_t>(count) + kAlign) & ~kAlign;
    push(layout::EVENT_DATA, slot->id, from, static_cast<uint32_t>(count));
    // A short read emptied the socket (epoll(7), question 9), unless an end stands behind it.
    if (static_cast<uint32_t>(count) == options_.readBytes || slot->hungUp) list(slot);
    else slot->readable = false;
    return;
  }
  if (count < 0 && errno == EINTR) return list(slot);
  slot->readable = false;
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (count < 0) return fail(slot, causeOf(errno));
  slot->ended = true;
  if (slot->broken) fail(slot, layout::ERROR_CAUSE_RESET);
  else push(layout::EVENT_END, slot->id, 0, 0);
}

/** Looks at the first bytes without taking them: the shell's parser says how many are a header. */
void Engine::peekHeader(Slot* slot) {
  uint8_t bytes[kHeaderBytesMax];
  const ssize_t count = recv(slot->fd, bytes, sizeof bytes, MSG_PEEK);
  if (count < 0 && errno == EINTR) return list(slot);
  slot->readable = false;
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (count <= 0) return rejectHeader(slot->id);
  host_->proxyHeader(slot->id, bytes, static_cast<uint32_t>(count));
  // An end behind half a header makes no further edge.
  if (!slot->dead && slot->announcing && slot->hungUp) rejectHeader(slot->id);
}

void Engine::announce(uint32_t id, uint32_t skip, const Address* peer, const Address* local) {
  Slot* slot = ids_.slot(id);
  if (!slot || !slot->announcing || skip == 0) return;
  uint8_t dropped[kHeaderBytesMax];
  if (skip > sizeof dropped || recv(slot->fd, dropped, skip, 0) != static_cast<ssize_t>(skip)) {
    return rejectHeader(id);
  }
  slot->announcing = false;
  dropDeadline(slot);
  Address own;
  own.length = sizeof own.storage;
  if (!peer) getpeername(slot->fd, reinterpret_cast<sockaddr*>(&own.storage), &own.length);
  tell(slot, peer ? *peer : own, local);
  slot->readable = true;
  list(slot);
}

void Engine::rejectHeader(uint32_t id) {
  Slot* slot = ids_.slot(id);
  if (!slot || !slot->announcing) return;
  at<double>(layout::CONTROL + layout::CONTROL_REFUSED_CONNECTIONS_AT) += 1;
  ids_.release(id);
  destroy(slot, true);
}

int Engine::connect(uint32_t id, const Address& address) {
  Slot* slot = ids_.slot(id);
  if (stopped_ || !slot || !slot->connecting || slot->fd >= 0) return 0;
  bool done = false;
  const int fd = openConnection(address, &done);
  if (fd < 0) return -fd;
  slot->fd = fd;
  if (!watch(slot)) {
    const int error = errno;
    close(fd);
    slot->fd = -1;
    return error;
  }
  if (!done) return 0;
  slot->connecting = false;
  posted_.push_back({layout::EVENT_CONNECTED, id, 0, 0});
  return 0;
}

void Engine::refuse(uint32_t id, uint32_t cause) {
  Slot* slot = ids_.slot(id);
  if (!slot || slot->failed) return;
  slot->failed = true;
  posted_.push_back({layout::EVENT_ERROR, id, cause, 0});
}

void Engine::finishConnect(Slot* slot) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error == 0) {
    slot->connecting = false;
    push(layout::EVENT_CONNECTED, slot->id, 0, 0);
    return;
  }
  close(slot->fd);
  slot->fd = -1;
  host_->connectFailed(slot->id, error);
}

/** Reports the last event of an id. */
void Engine::fail(Slot* slot, uint32_t cause) {
  if (slot->failed) return;
  slot->failed = true;
  slot->readable = false;
  slot->unsent.clear();
  push(layout::EVENT_ERROR, slot->id, cause, 0);
  failedIds_.push_back(slot->id);
}

}  // namespace headgate
