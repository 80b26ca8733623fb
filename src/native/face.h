/**
 * The face of the engine toward the shell: one class `Engine`. The engine's descriptor is nested in
 * libuv's loop by a poll handle; an idle handle turns the loop while work is left over that makes
 * no descriptor readable.
 */
#pragma once
#include <napi.h>
#include <uv.h>

#include <memory>

#include "engine.h"

namespace headgate {

/** Freed when libuv has closed both handles, which may be later than the object that made them. */
struct Handles {
  uv_poll_t poll;
  uv_idle_t idle;
  int open = 2;
  std::unique_ptr<Engine> engine;
  napi_async_cleanup_hook_handle hook = nullptr;
};

inline uint32_t number(const Napi::Value& value) {
  return value.As<Napi::Number>().Uint32Value();
}

class EngineFace : public Napi::ObjectWrap<EngineFace>, public Host {
 public:
  static Napi::Function define(Napi::Env env);
  explicit EngineFace(const Napi::CallbackInfo& info);
  ~EngineFace() override { shut(); }

  int64_t process(uint32_t eventCount) override;
  void resolve(uint32_t id, uint32_t target) override;
  void connectFailed(uint32_t id, int error) override;
  void proxyHeader(uint32_t id, const uint8_t* bytes, uint32_t count) override;
  void badCommand(const char* what, const Record& record) override;

 private:
  Napi::Value listen(const Napi::CallbackInfo& info);
  Napi::Value connect(const Napi::CallbackInfo& info);
  void showPort(const Napi::CallbackInfo& info);
  void stopListening(const Napi::CallbackInfo& info);
  void post(const Napi::CallbackInfo& info);
  void refuse(const Napi::CallbackInfo& info);
  void announce(const Napi::CallbackInfo& info);
  void rejectHeader(const Napi::CallbackInfo& info);
  void tick(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  Napi::Value busy(const Napi::CallbackInfo& info);
  Napi::Value closingCount(const Napi::CallbackInfo& info);

  void startHandles();
  void turn();
  void settle();
  void shut();
  void call(const char* name, std::initializer_list<napi_value> arguments);

  Napi::AsyncContext context_;
  Napi::ObjectReference host_;
  Napi::FunctionReference process_;
  Napi::Reference<Napi::Uint8Array> memory_;
  Handles* handles_ = nullptr;
  Engine* engine_ = nullptr;
  bool tickArmed_ = false;
};

}  // namespace headgate
