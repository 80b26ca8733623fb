/**
 * Where the thread of an event loop sleeps. Alone in its thread, the engine leads: it sleeps in its
 * own epoll set, which holds the descriptor of libuv's loop, and goes back to libuv only when that
 * has something to do. A wake-up then takes one look at one set and no turn of libuv, as in a
 * program without libuv. Beside other engines of the thread it is nested: libuv sleeps, and the
 * engine's descriptor is one of its own.
 */
#pragma once
#include <uv.h>

#include <memory>

#include "engine.h"

namespace headgate {

/** Frees itself and its engine when libuv has let go of its handles, some time after `close`. */
class Waiter {
 public:
  class Turner {
   public:
    virtual ~Turner() = default;
    /** Turns the engine once, which sleeps for at most so many milliseconds (-1: without end). */
    virtual void turn(int patienceMs) = 0;
  };

  Waiter(uv_loop_t* loop, Turner* turner, std::unique_ptr<Engine> engine);
  Waiter(const Waiter&) = delete;

  /** Lives on after `close` until libuv calls back: frames of it may still be on the stack. */
  Engine* engine() const { return engine_.get(); }
  /** After each use of the engine: the loop lives and turns while it has something to do. */
  void settle();
  /** Nothing is turned from here on; `closed(argument)` is called when libuv has let go. */
  void close(void (*closed)(void*), void* argument);

 private:
  ~Waiter() = default;

  bool isWanted() const { return engine_->isInUse() || engine_->hasWork(); }
  void beforeSleep();
  void lead();
  void nest();
  void keepTurning(bool isKept);
  void turnNested();
  template <typename Handle>
  static uv_handle_t* plain(Handle* handle) {
    return reinterpret_cast<uv_handle_t*>(handle);
  }

  uv_loop_t* const loop_;
  /** Null: closed. */
  Turner* turner_;
  const std::unique_ptr<Engine> engine_;
  uv_prepare_t prepare_;
  uv_poll_t poll_;
  uv_idle_t idle_;
  bool leads_ = false;
  int open_ = 3;
  void (*closed_)(void*) = nullptr;
  void* argument_ = nullptr;
};

}  // namespace headgate
