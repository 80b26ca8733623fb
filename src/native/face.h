/** The face of the engine toward the shell: one class `Engine`. */
#pragma once
#include <napi.h>

#include "waiter.h"

namespace headgate {

inline uint32_t number(const Napi::Value& value) {
  return value.As<Napi::Number>().Uint32Value();
}

class EngineFace : public Napi::ObjectWrap<EngineFace>, public Host, public Waiter::Turner {
 public:
  static Napi::Function define(Napi::Env env);
  explicit EngineFace(const Napi::CallbackInfo& info);
  ~EngineFace() override { shut(); }

  int64_t process(uint32_t eventCount) override;
  void resolve(uint32_t id, uint32_t target) override;
  void connectFailed(uint32_t id, int error) override;
  void proxyHeader(uint32_t id, const uint8_t* bytes, uint32_t count) override;
  void badCommand(const char* what, const Record& record) override;
  void turn(int patienceMs) override;

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

  void join(std::unique_ptr<Engine> engine);
  void settle();
  void shut();
  void call(const char* name, std::initializer_list<napi_value> arguments);

  Napi::AsyncContext context_;
  Napi::ObjectReference host_;
  Napi::FunctionReference process_;
  Napi::Reference<Napi::Uint8Array> memory_;
  Waiter* waiter_ = nullptr;
  Engine* engine_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool tickArmed_ = false;
};

}  // namespace headgate
