/** Life of the face, and what the engine asks of the shell. */
#include "face.h"

namespace headgate {

/** new Engine({ memory, process, host, sendable, headRoomBytes, readBytes, clockOffsetMs }) */
EngineFace::EngineFace(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<EngineFace>(info), context_(info.Env(), "headgate") {
  const Napi::Env env = info.Env();
  const Napi::Object given = info[0].As<Napi::Object>();
  Napi::Uint8Array memory = given.Get("memory").As<Napi::Uint8Array>();
  // A memory that may grow is detached when it does, and then has no bytes.
  if (!memory.Data() || memory.ByteLength() != layout::MEMORY_PAGES * size_t{65536}) {
    Napi::TypeError::New(env, "memory is not the memory of a core").ThrowAsJavaScriptException();
    return;
  }
  EngineOptions options;
  options.memory = memory.Data();
  const Napi::Array sendable = given.Get("sendable").As<Napi::Array>();
  for (uint32_t i = 0; i < sendable.Length(); i++) options.sendable.push_back(number(sendable[i]));
  options.headRoomBytes = number(given.Get("headRoomBytes"));
  options.readBytes = number(given.Get("readBytes"));
  const Napi::Value offset = given.Get("clockOffsetMs");
  options.writesClock = offset.IsNumber();
  if (options.writesClock) options.clockOffsetMs = offset.As<Napi::Number>().DoubleValue();
  memory_ = Napi::Persistent(memory);
  process_ = Napi::Persistent(given.Get("process").As<Napi::Function>());
  host_ = Napi::Persistent(given.Get("host").As<Napi::Object>());
  join(std::make_unique<Engine>(this, options));
  // Open sockets keep it: it is let go in close().
  Ref();
}

void EngineFace::join(std::unique_ptr<Engine> engine) {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(Env(), &loop);
  waiter_ = new Waiter(loop, this, std::move(engine));
  engine_ = waiter_->engine();
  // A worker thread that is terminated must not leave handles in its loop.
  const auto end = [](napi_async_cleanup_hook_handle, void* face) {
    static_cast<EngineFace*>(face)->shut();
  };
  napi_add_async_cleanup_hook(Env(), end, this, &hook_);
}

/** One turn of the engine. The scope runs what plugins left in the microtask queue. */
void EngineFace::turn(int patienceMs) {
  Napi::HandleScope handleScope(Env());
  Napi::CallbackScope callbackScope(Env(), context_);
  if (engine_) engine_->run(patienceMs);
  settle();
}

/** Arms what the next turn needs. */
void EngineFace::settle() {
  if (!engine_) return;
  waiter_->settle();
  if (tickArmed_ || engine_->isBusy() || !engine_->needsTick()) return;
  tickArmed_ = true;
  call("armTick", {});
}

/** Ends the engine and lets the handles go; nothing calls back from here on. Idempotent. */
void EngineFace::shut() {
  Waiter* const waiter = waiter_;
  if (!waiter) return;
  waiter_ = nullptr;
  engine_->stop();
  engine_ = nullptr;
  const auto closed = [](void* hook) {
    if (hook) napi_remove_async_cleanup_hook(static_cast<napi_async_cleanup_hook_handle>(hook));
  };
  waiter->close(closed, hook_);
}

int64_t EngineFace::process(uint32_t eventCount) {
  napi_env env = Env();
  napi_value self, count, result;
  napi_get_undefined(env, &self);
  napi_create_uint32(env, eventCount, &count);
  if (napi_call_function(env, self, process_.Value(), 1, &count, &result) != napi_ok) {
    napi_value error;
    napi_get_and_clear_last_exception(env, &error);
    call("trapped", {error});
    return -1;
  }
  uint32_t commandCount = 0;
  napi_get_value_uint32(env, result, &commandCount);
  return commandCount;
}

/**
 * Calls a method of the shell's host; what it throws is reported as uncaught. In a thread that is
 * being ended no JavaScript runs any more, and there is nobody to tell.
 */
void EngineFace::call(const char* name, std::initializer_list<napi_value> arguments) {
  napi_env env = Env();
  const napi_value host = host_.Value();
  napi_value method, result;
  if (napi_get_named_property(env, host, name, &method) == napi_ok &&
      napi_call_function(env, host, method, arguments.size(), arguments.begin(), &result) ==
          napi_ok) {
    return;
  }
  bool isPending = false;
  napi_value error;
  if (napi_is_exception_pending(env, &isPending) == napi_ok && isPending &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    napi_fatal_exception(env, error);
  }
}

void EngineFace::resolve(uint32_t id, uint32_t target) {
  const Napi::HandleScope scope(Env());
  call("resolve", {Napi::Number::New(Env(), id), Napi::Number::New(Env(), target)});
}

void EngineFace::connectFailed(uint32_t id, int error) {
  const Napi::HandleScope scope(Env());
  const uint32_t cause = causeOf(error);
  call("connectFailed", {Napi::Number::New(Env(), id), Napi::Number::New(Env(), cause)});
}

void EngineFace::proxyHeader(uint32_t id, const uint8_t* bytes, uint32_t count) {
  const Napi::HandleScope scope(Env());
  const Napi::Value copy = Napi::Buffer<uint8_t>::Copy(Env(), bytes, count);
  call("proxyHeader", {Napi::Number::New(Env(), id), copy});
}

void EngineFace::badCommand(const char* what, const Record& record) {
  const Napi::HandleScope scope(Env());
  const auto value = [this](uint32_t n) { return Napi::Number::New(Env(), n); };
  call("badCommand", {Napi::String::New(Env(), what), value(record.type), value(record.connection),
                      value(record.a), value(record.b)});
}

}  // namespace headgate
