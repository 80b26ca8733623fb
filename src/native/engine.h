/**
 * The native driver: an epoll set inside libuv's loop. It reads into the core's memory, hands the
 * core one batch of events per turn, and carries out the commands that come back after checking
 * each. It decides nothing about HTTP. Everything runs on the thread of its event loop.
 */
#pragma once
#include <sys/epoll.h>

#include <string>
#include <utility>
#include <vector>

#include "ids.h"
#include "layout.h"
#include "slot.h"
#include "sockets.h"

namespace headgate {

/** 16 bytes, as in src/codegen/layout.ts. */
struct Record {
  uint32_t type, connection, a, b;
};

/** What the engine asks of the shell. */
class Host {
 public:
  virtual ~Host() = default;
  /** Calls the core's `process`; the number of commands, or -1 where it threw (and was told so). */
  virtual int64_t process(uint32_t eventCount) = 0;
  /** A connection to a target is wanted: answered with `connect` or `refuse`, now or later. */
  virtual void resolve(uint32_t id, uint32_t target) = 0;
  /** The address given to `connect` failed with this errno: another one, or `refuse`. */
  virtual void connectFailed(uint32_t id, int error) = 0;
  /** First bytes of a connection of a proxy_protocol listener: answered with `announce`. */
  virtual void proxyHeader(uint32_t id, const uint8_t* bytes, uint32_t count) = 0;
  /** A command broke a rule. */
  virtual void badCommand(const char* what, const Record& record) = 0;
};

/** What is known of a listener. */
struct ListenerFacts {
  Address bound;
  /** What the core is told as local port. */
  uint16_t shownPort = 0;
  bool proxyProtocol = false;
};

struct EngineOptions {
  uint8_t* memory = nullptr;
  /** [start, end) pairs whose bytes may leave. */
  std::vector<uint32_t> sendable;
  uint32_t headRoomBytes = 0;
  uint32_t readBytes = 0;
  /** False: `process` writes the clock itself. */
  bool writesClock = true;
  double clockOffsetMs = 0;
};

class Engine {
 public:
  Engine(Host* host, EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;

  /** The descriptor that is readable while a socket is. */
  int descriptor() const { return epoll_; }
  bool isBusy() const { return running_; }
  /** Work is left over that makes no descriptor readable. */
  bool hasWork() const { return !stopped_ && (!ready_.empty() || !posted_.empty()); }
  /** Sockets are open that should keep the process alive. */
  bool isInUse() const { return !stopped_ && slotCount_ > 0; }
  /** Something waits for time to pass. */
  bool needsTick() const;
  uint32_t closingCount() const { return closingCount_; }
  double nowMs() const;

  /** Index of the new listener, or -errno. */
  int listen(const ListenRequest& request, bool proxyProtocol, Address* bound);
  /** Replaces the port that the core is told for connections of a listener. */
  void showPort(uint32_t listener, uint16_t port);
  void stopListening();
  /**
   * One turn: what is ready is read, handed over, carried out. Where nothing is, it sleeps for at
   * most so many milliseconds (-1: without end).
   */
  void run(int patienceMs);
  /** From here on sleep ends when libuv's loop has something to do; false: the kernel refuses. */
  bool watchLoop(int descriptor);
  void unwatchLoop(int descriptor);
  /** The last turn found it so. */
  bool isLoopReady() const { return loopReady_; }
  /** Hands one event over alone, or after the batch that is running. */
  void post(const Record& event);
  void tick();
  /** 0, or an errno where it failed at once. */
  int connect(uint32_t id, const Address& address);
  void refuse(uint32_t id, uint32_t cause);
  /** Drops `skip` header bytes; null addresses: those of the socket. */
  void announce(uint32_t id, uint32_t skip, const Address* peer, const Address* local);
  void rejectHeader(uint32_t id);
  /** Resets everything that is open; no call does anything from here on. */
  void stop();

 private:
  // engine.cc
  void collect(int patienceMs);
  void takePosted();
  void handle(Slot* slot, uint32_t happened);
  bool batch();
  bool isFull() const;
  void push(uint32_t type, uint32_t id, uint32_t a, uint32_t b);
  void list(Slot* slot);
  Slot* make(SlotKind kind, int fd);
  bool watch(Slot* slot);
  void destroy(Slot* slot, bool reset);
  void reap();
  void releaseFailed();
  void writeClock();
  template <typename T>
  T& at(uint32_t offset) {
    return *reinterpret_cast<T*>(memory_ + offset);
  }
  // reads.cc
  void accept(Slot* listener);
  void adopt(int fd, Slot* listener, const Address& peer);
  void tell(Slot* slot, const Address& peer, const Address* local);
  void read(Slot* slot);
  void peekHeader(Slot* slot);
  void finishConnect(Slot* slot);
  void fail(Slot* slot, uint32_t cause);
  // commands.cc
  bool carryOut(uint32_t commandCount);
  bool carryOutOne(const Record& record);
  bool check(const Record& record);
  bool isSendable(const Record& record) const;
  const Record* send(const Record* from, const Record* end);
  void connectUpstream(const Record& record);
  bool bad(const char* what, const Record& record);
  // writes.cc
  void transmit(Slot* slot, struct iovec* parts, int partCount, uint32_t total);
  void keepUnsent(Slot* slot, const struct iovec* parts, int partCount, uint32_t sent);
  void breakOff(Slot* slot);
  void flush(Slot* slot);
  void sendFin(Slot* slot);
  void beginClose(Slot* slot, bool isLast);
  void discard(Slot* slot);
  void setDeadline(Slot* slot, double cutAtMs);
  void dropDeadline(Slot* slot);
  void sweep();
  uint32_t sendTimeoutMs();

  Host* const host_;
  uint8_t* const memory_;
  const EngineOptions options_;
  int epoll_ = -1;
  bool running_ = false;
  bool stopped_ = false;
  bool starved_ = false;
  bool loopReady_ = false;
  Ids ids_;
  std::vector<Slot*> listeners_;
  /** By the index of the listener; they outlive it, for connections it has accepted. */
  std::vector<ListenerFacts> facts_;
  /** To be read in the next batch. */
  std::vector<Slot*> ready_, reading_;
  /** Events for the next batch. */
  std::vector<Record> posted_;
  /** Ids whose ERROR is in the running batch. */
  std::vector<uint32_t> failedIds_;
  /** Closing, or waiting for a PROXY header. */
  std::vector<Slot*> deadlines_;
  /** Closed in this turn: freed at its end, because epoll may have named them. */
  std::vector<Slot*> dead_;
  uint32_t closingCount_ = 0;
  uint32_t slotCount_ = 0;
  uint32_t eventCount_ = 0;
  uint32_t batchSerial_ = 0;
  /** First free byte of the read region. */
  uint32_t bump_ = 0;
};

}  // namespace headgate
