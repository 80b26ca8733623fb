/** System calls of the driver that open sockets, and addresses as the core wants them. */
#pragma once
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>

namespace headgate {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  bool isUnix() const { return storage.ss_family == AF_UNIX; }
};

struct ListenRequest {
  bool isUnix = false;
  std::string host;
  uint16_t port = 0;
  int backlog = 0;
  bool reuseport = false;
};

/** Parses an IP address (with a zone where it has one) or takes a socket path; false: neither. */
bool makeAddress(const std::string& host, uint16_t port, bool isUnix, Address* into);

/** A listening, non-blocking descriptor, or -errno. */
int openListener(const ListenRequest& request, Address* bound);

/** A descriptor that connects, or -errno; `*done` where it is connected at once. */
int openConnection(const Address& address, bool* done);

/** Writes the address as 16 bytes, IPv4 mapped into ::ffff:0:0/96; returns the port, 0 for Unix. */
uint16_t putAddress(const Address& address, uint8_t* into);

/** The text of an address without its port; the path of a Unix socket. */
std::string addressText(const Address& address);

/** Port of an address, 0 for Unix sockets. */
uint16_t addressPort(const Address& address);

/** True for the address that stands for every one of the machine. */
bool isWildcard(const Address& address);

/** ErrorCause of an errno of connect, send or recv. */
uint32_t causeOf(int error);

/** Closes a descriptor; with `reset` the peer sees that what it got is cut short. */
void closeDescriptor(int fd, bool reset);

}  // namespace headgate
