#include "sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "layout.h"

namespace headgate {

namespace {

constexpr int kFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

void setOption(int fd, int level, int name, int value) {
  // Best effort: a socket without the option still works.
  setsockopt(fd, level, name, &value, sizeof value);
}

/** Accepted sockets inherit both from their listener, which saves two calls for each. */
void tuneTcp(int fd) {
  setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  setOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

int failed(int fd) {
  const int error = errno;
  close(fd);
  return -error;
}

bool makeUnixAddress(const std::string& path, Address* into) {
  auto* address = reinterpret_cast<sockaddr_un*>(&into->storage);
  if (path.empty() || path.size() >= sizeof address->sun_path) return false;
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, path.c_str(), path.size() + 1);
  into->length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return true;
}

}  // namespace

bool makeAddress(const std::string& host, uint16_t port, bool isUnix, Address* into) {
  *into = Address{};
  if (isUnix) return makeUnixAddress(host, into);
  auto* v4 = reinterpret_cast<sockaddr_in*>(&into->storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    into->length = sizeof *v4;
    return true;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&into->storage);
  const size_t percent = host.find('%');
  if (inet_pton(AF_INET6, host.substr(0, percent).c_str(), &v6->sin6_addr) != 1) return false;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  if (percent != std::string::npos) {
    v6->sin6_scope_id = if_nametoindex(host.c_str() + percent + 1);
  }
  into->length = sizeof *v6;
  return true;
}

int openListener(const ListenRequest& request, Address* bound) {
  Address address;
  if (!makeAddress(request.host, request.port, request.isUnix, &address)) return -EINVAL;
  const int fd = socket(address.storage.ss_family, kFlags, 0);
  if (fd < 0) return -errno;
  if (!request.isUnix) {
    setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (address.storage.ss_family == AF_INET6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    tuneTcp(fd);
    const int on = 1;
    // Without it a second worker could not bind: not best effort.
    if (request.reuseport && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
      return failed(fd);
    }
  }
  const auto* target = reinterpret_cast<const sockaddr*>(&address.storage);
  if (bind(fd, target, address.length) != 0) return failed(fd);
  if (listen(fd, request.backlog) != 0) return failed(fd);
  bound->length = sizeof bound->storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound->storage), &bound->length) != 0) {
    return failed(fd);
  }
  return fd;
}

int openConnection(const Address& address, bool* done) {
  const int fd = socket(address.storage.ss_family, kFlags, 0);
  if (fd < 0) return -errno;
  if (!address.isUnix()) tuneTcp(fd);
  const auto* target = reinterpret_cast<const sockaddr*>(&address.storage);
  *done = connect(fd, target, address.length) == 0;
  if (!*done && errno != EINPROGRESS) return failed(fd);
  return fd;
}

uint16_t putAddress(const Address& address, uint8_t* into) {
  memset(into, 0, 16);
  if (address.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    into[10] = into[11] = 0xff;
    memcpy(into + 12, &v4->sin_addr, 4);
  } else if (address.storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    memcpy(into, &v6->sin6_addr, 16);
  }
  return addressPort(address);
}

std::string addressText(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
  } else if (address.storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
  }
  return text;
}

uint16_t addressPort(const Address& address) {
  if (address.storage.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
  }
  if (address.storage.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_port);
  }
  return 0;
}

bool isWildcard(const Address& address) {
  if (address.storage.ss_family == AF_INET) {
    return reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr.s_addr == INADDR_ANY;
  }
  if (address.storage.ss_family != AF_INET6) return false;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  return IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
}

uint32_t causeOf(int error) {
  switch (error) {
    case ECONNREFUSED:
    case ENOENT:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return layout::ERROR_CAUSE_REFUSED;
    case ECONNRESET:
    case EPIPE:
      return layout::ERROR_CAUSE_RESET;
    case ETIMEDOUT:
      return layout::ERROR_CAUSE_TIMEOUT;
    default:
      return layout::ERROR_CAUSE_OTHER;
  }
}

void closeDescriptor(int fd, bool reset) {
  if (reset) {
    const linger now{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  close(fd);
}

}  // namespace headgate
