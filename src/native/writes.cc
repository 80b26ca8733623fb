/** What goes out: bytes, ends of streams, and connections on their way out. */
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "engine.h"

namespace headgate {

namespace {

/** Reads that one turn spends on a connection whose bytes nobody wants. */
constexpr int kDiscardsPerTurn = 16;
/** `unsentAtCheck` of a connection whose FIN is out. */
constexpr uint32_t kFlushed = 0xffffffff;

}  // namespace

void Engine::transmit(Slot* slot, iovec* parts, int partCount, uint32_t total) {
  if (slot->broken || slot->failed || slot->finSent || slot->finWanted) return;
  if (slot->unsent.bytes() > layout::LIMIT_UNSENT_BYTES_PER_CONNECTION) {
    slot->unsent.clear();
    slot->broken = true;
    refuse(slot->id, layout::ERROR_CAUSE_OTHER);
    return;
  }
  uint32_t sent = 0;
  if (!slot->connecting && slot->unsent.empty()) {
    ssize_t count;
    do {
      if (partCount == 1) {
        count = ::send(slot->fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
      } else {
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = static_cast<size_t>(partCount);
        count = sendmsg(slot->fd, &message, MSG_NOSIGNAL);
      }
    } while (count < 0 && errno == EINTR);
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return breakOff(slot);
    sent = count < 0 ? 0 : static_cast<uint32_t>(count);
  }
  if (sent < total) keepUnsent(slot, parts, partCount, sent);
}

void Engine::keepUnsent(Slot* slot, const iovec* parts, int partCount, uint32_t sent) {
  uint32_t skip = sent;
  for (int i = 0; i < partCount; i++) {
    const uint32_t bytes = static_cast<uint32_t>(parts[i].iov_len);
    const uint32_t skipped = skip < bytes ? skip : bytes;
    skip -= skipped;
    if (skipped == bytes) continue;
    slot->unsent.append(static_cast<const uint8_t*>(parts[i].iov_base) + skipped, bytes - skipped);
  }
  if (slot->blocked) return;
  slot->blocked = true;
  posted_.push_back({layout::EVENT_BLOCKED, slot->id, 0, 0});
}

/**
 * The peer takes nothing any more. What it sent before may be an answer: it is read first, and the
 * error is reported where the reading ends. A paused connection would not get there.
 */
void Engine::breakOff(Slot* slot) {
  if (slot->broken) return;
  slot->broken = true;
  slot->unsent.clear();
  if (slot->closing) return destroy(slot, false);
  if (slot->ended || slot->paused) return refuse(slot->id, layout::ERROR_CAUSE_RESET);
  slot->hungUp = true;
  slot->readable = true;
  list(slot);
}

/** The kernel takes bytes again. */
void Engine::flush(Slot* slot) {
  while (!slot->unsent.empty()) {
    const ssize_t count =
        ::send(slot->fd, slot->unsent.data(), slot->unsent.bytes(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (count < 0) return breakOff(slot);
    slot->unsent.consume(static_cast<uint32_t>(count));
  }
  if (slot->finWanted) sendFin(slot);
  if (slot->closing || !slot->blocked) return;
  slot->blocked = false;
  push(layout::EVENT_DRAINED, slot->id, 0, 0);
}

void Engine::sendFin(Slot* slot) {
  if (!slot->finSent) shutdown(slot->fd, SHUT_WR);
  slot->finSent = true;
  if (!slot->closing) return;
  if (slot->ended) return destroy(slot, false);
  slot->unsentAtCheck = kFlushed;
  slot->cutAtMs = nowMs() + layout::LIMIT_LINGER_MS;
}

/**
 * First what is held is flushed, then a FIN is sent, then what the peer still sends is read and
 * discarded for limits.lingerMs: closing a socket with unread bytes would reset it, and the reset
 * may overtake the answer that says what was wrong. `isLast`: the peer has said that nothing
 * follows, so there is nothing to wait for.
 */
void Engine::beginClose(Slot* slot, bool isLast) {
  if (slot->broken || slot->failed || slot->connecting) return destroy(slot, slot->broken);
  if (isLast && slot->unsent.empty() && !slot->readable) return destroy(slot, false);
  slot->id = 0;
  slot->closing = true;
  slot->paused = false;
  slot->finWanted = true;
  closingCount_++;
  slot->unsentAtCheck = slot->unsent.bytes();
  setDeadline(slot, nowMs() + sendTimeoutMs());
  if (slot->unsent.empty()) sendFin(slot);
  if (!slot->dead && slot->readable) list(slot);
}

void Engine::discard(Slot* slot) {
  uint8_t bytes[16384];
  for (int i = 0; i < kDiscardsPerTurn; i++) {
    const ssize_t count = recv(slot->fd, bytes, sizeof bytes, 0);
    if (count > 0) continue;
    if (count < 0 && errno == EINTR) continue;
    slot->readable = false;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    slot->ended = true;
    if (count < 0 || slot->finSent) destroy(slot, false);
    return;
  }
  list(slot);
}

void Engine::setDeadline(Slot* slot, double cutAtMs) {
  slot->cutAtMs = cutAtMs;
  if (slot->deadlineIndex >= 0) return;
  slot->deadlineIndex = static_cast<int32_t>(deadlines_.size());
  deadlines_.push_back(slot);
}

void Engine::dropDeadline(Slot* slot) {
  if (slot->deadlineIndex < 0) return;
  Slot* last = deadlines_.back();
  deadlines_[static_cast<size_t>(slot->deadlineIndex)] = last;
  last->deadlineIndex = slot->deadlineIndex;
  deadlines_.pop_back();
  slot->deadlineIndex = -1;
}

/** Cuts what is due; a closing connection that takes bytes gets another send_timeout. */
void Engine::sweep() {
  const double now = nowMs();
  for (size_t i = 0; i < deadlines_.size();) {
    Slot* slot = deadlines_[i];
    const uint32_t unsent = slot->unsent.bytes();
    if (slot->closing && slot->unsentAtCheck != kFlushed && unsent != slot->unsentAtCheck) {
      slot->unsentAtCheck = unsent;
      slot->cutAtMs = now + sendTimeoutMs();
    }
    if (now < slot->cutAtMs) {
      i++;
    } else if (slot->announcing) {
      rejectHeader(slot->id);
    } else {
      destroy(slot, false);
    }
  }
  if (!running_) reap();
}

uint32_t Engine::sendTimeoutMs() {
  const uint32_t given = at<uint32_t>(layout::SETTINGS + layout::SETTINGS_SEND_TIMEOUT_MS_AT);
  return given ? given : 60000;
}

}  // namespace headgate
