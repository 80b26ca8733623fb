/** What the shell may call, and the module: the class, and the layout's hash at build time. */
#include "face.h"

namespace headgate {

Napi::Function EngineFace::define(Napi::Env env) {
  using Face = EngineFace;
  return DefineClass(env, "Engine",
                     {InstanceMethod<&Face::listen>("listen"),
                      InstanceMethod<&Face::showPort>("showPort"),
                      InstanceMethod<&Face::stopListening>("stopListening"),
                      InstanceMethod<&Face::post>("post"),
                      InstanceMethod<&Face::connect>("connect"),
                      InstanceMethod<&Face::refuse>("refuse"),
                      InstanceMethod<&Face::announce>("announce"),
                      InstanceMethod<&Face::rejectHeader>("rejectHeader"),
                      InstanceMethod<&Face::tick>("tick"),
                      InstanceMethod<&Face::close>("close"),
                      InstanceAccessor<&Face::busy>("busy"),
                      InstanceAccessor<&Face::closingCount>("closingCount")});
}

/** listen(isUnix, host, port, backlog, reuseport, proxyProtocol): [index, host, port] or errno */
Napi::Value EngineFace::listen(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  ListenRequest request;
  request.isUnix = info[0].ToBoolean();
  request.host = info[1].As<Napi::String>();
  request.port = static_cast<uint16_t>(number(info[2]));
  request.backlog = static_cast<int>(number(info[3]));
  request.reuseport = info[4].ToBoolean();
  Address bound;
  const int index = engine_ ? engine_->listen(request, info[5].ToBoolean(), &bound) : -ESHUTDOWN;
  settle();
  if (index < 0) return Napi::Number::New(env, -index);
  const Napi::Array result = Napi::Array::New(env, 3);
  result.Set(uint32_t{0}, index);
  result.Set(uint32_t{1}, addressText(bound));
  result.Set(uint32_t{2}, addressPort(bound));
  return result;
}

void EngineFace::showPort(const Napi::CallbackInfo& info) {
  if (engine_) engine_->showPort(number(info[0]), static_cast<uint16_t>(number(info[1])));
}

void EngineFace::stopListening(const Napi::CallbackInfo&) {
  if (engine_) engine_->stopListening();
  settle();
}

/** post(event, connection, a, b) */
void EngineFace::post(const Napi::CallbackInfo& info) {
  if (!engine_) return;
  engine_->post({number(info[0]), number(info[1]), number(info[2]), number(info[3])});
  settle();
}

/** connect(id, host, port, isUnix): 0, or the ErrorCause of a failure at once */
Napi::Value EngineFace::connect(const Napi::CallbackInfo& info) {
  const std::string host = info[1].As<Napi::String>();
  const uint16_t port = static_cast<uint16_t>(number(info[2]));
  Address address;
  if (!makeAddress(host, port, info[3].ToBoolean(), &address)) {
    return Napi::Number::New(info.Env(), layout::ERROR_CAUSE_RESOLVE);
  }
  const int error = engine_ ? engine_->connect(number(info[0]), address) : 0;
  settle();
  return Napi::Number::New(info.Env(), error ? causeOf(error) : 0);
}

/** refuse(id, cause) */
void EngineFace::refuse(const Napi::CallbackInfo& info) {
  if (engine_) engine_->refuse(number(info[0]), number(info[1]));
  settle();
}

/** announce(id, headerBytes, peerHost?, peerPort?, localHost?, localPort?) */
void EngineFace::announce(const Napi::CallbackInfo& info) {
  if (!engine_) return;
  Address peer, local;
  const auto given = [&info](size_t at, Address* into) {
    if (!info[at].IsString()) return false;
    const std::string host = info[at].As<Napi::String>();
    return makeAddress(host, static_cast<uint16_t>(number(info[at + 1])), false, into);
  };
  const bool isGiven = given(2, &peer) && given(4, &local);
  engine_->announce(number(info[0]), number(info[1]), isGiven ? &peer : nullptr,
                    isGiven ? &local : nullptr);
  settle();
}

void EngineFace::rejectHeader(const Napi::CallbackInfo& info) {
  if (engine_) engine_->rejectHeader(number(info[0]));
  settle();
}

void EngineFace::tick(const Napi::CallbackInfo&) {
  tickArmed_ = false;
  if (engine_) engine_->tick();
  settle();
}

void EngineFace::close(const Napi::CallbackInfo&) {
  if (!waiter_) return;
  shut();
  Unref();
}

Napi::Value EngineFace::busy(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), engine_ && engine_->isBusy());
}

Napi::Value EngineFace::closingCount(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), engine_ ? engine_->closingCount() : 0);
}

}  // namespace headgate

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  exports.Set("Engine", headgate::EngineFace::define(env));
  exports.Set("layoutHash", Napi::Number::New(env, headgate::layout::HASH));
  return exports;
}

NODE_API_MODULE(headgate, initialise)
