#include "waiter.h"

namespace headgate {

namespace {

/** Open ones of this thread, and so of its one loop. */
thread_local int waiters = 0;

}  // namespace

Waiter::Waiter(uv_loop_t* loop, Turner* turner, std::unique_ptr<Engine> engine)
    : loop_(loop), turner_(turner), engine_(std::move(engine)) {
  waiters++;
  uv_prepare_init(loop, &prepare_);
  uv_poll_init(loop, &poll_, engine_->descriptor());
  uv_idle_init(loop, &idle_);
  prepare_.data = poll_.data = idle_.data = this;
  uv_prepare_start(&prepare_, [](uv_prepare_t* handle) {
    static_cast<Waiter*>(handle->data)->beforeSleep();
  });
  // The first keeps the loop alive, where something should.
  uv_unref(plain(&poll_));
  uv_unref(plain(&idle_));
  nest();
  settle();
}

void Waiter::settle() {
  if (!turner_) return;
  if (isWanted()) uv_ref(plain(&prepare_));
  else uv_unref(plain(&prepare_));
  if (!leads_) keepTurning(engine_->hasWork());
}

/** libuv's own sleep comes next: ours instead, while only our sockets have something to say. */
void Waiter::beforeSleep() {
  if (!turner_) return;
  const bool isAlone = waiters == 1;
  if (leads_ && !isAlone) nest();
  if (!leads_ && isAlone) lead();
  if (!leads_) return;
  keepTurning(false);
  while (isWanted()) {
    // What libuv would sleep: 0 where it has timers that are due, immediates, new descriptors.
    const int patienceMs = uv_backend_timeout(loop_);
    turner_->turn(patienceMs);
    if (!turner_) return;
    if (patienceMs == 0 || engine_->isLoopReady()) break;
    uv_update_time(loop_);
  }
  // It looks without sleeping, and comes back here.
  keepTurning(isWanted());
}

/** Two sets cannot hold each other, so libuv lets go of ours first. */
void Waiter::lead() {
  uv_poll_stop(&poll_);
  leads_ = engine_->watchLoop(uv_backend_fd(loop_));
  if (!leads_) nest();
}

void Waiter::nest() {
  if (leads_) engine_->unwatchLoop(uv_backend_fd(loop_));
  leads_ = false;
  uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* handle, int, int) {
    static_cast<Waiter*>(handle->data)->turnNested();
  });
}

void Waiter::keepTurning(bool isKept) {
  if (!isKept) {
    uv_idle_stop(&idle_);
    return;
  }
  uv_idle_start(&idle_, [](uv_idle_t* handle) {
    auto* waiter = static_cast<Waiter*>(handle->data);
    if (!waiter->leads_) waiter->turnNested();
  });
}

void Waiter::turnNested() {
  if (turner_) turner_->turn(0);
}

void Waiter::close(void (*closed)(void*), void* argument) {
  turner_ = nullptr;
  closed_ = closed;
  argument_ = argument;
  waiters--;
  if (leads_) engine_->unwatchLoop(uv_backend_fd(loop_));
  const auto gone = [](uv_handle_t* handle) {
    auto* waiter = static_cast<Waiter*>(handle->data);
    if (--waiter->open_ > 0) return;
    if (waiter->closed_) waiter->closed_(waiter->argument_);
    delete waiter;
  };
  uv_close(plain(&prepare_), gone);
  uv_close(plain(&poll_), gone);
  uv_close(plain(&idle_), gone);
}

}  // namespace headgate
