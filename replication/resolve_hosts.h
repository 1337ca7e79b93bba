// From libpq's lists of hosts to single addresses. libpq would look names up by itself, blocking the loop; and it
// would wait for one dead address until the whole attempt times out. So every address is an attempt of its own, with
// the name beside it (`host`), because TLS checks the certificate against the name and .pgpass is keyed by it.
//
//   host=a,b port=5432,6000   ─>  {a, , 5432} {b, , 6000}  ─>  {a, 10.0.0.1, 5432} {a, 10.0.0.2, 5432} {b, 10.0.1.1,
//   6000}
#pragma once

#include <string>
#include <vector>

#include "event/loop.h"
#include "event/task.h"

namespace walrelay::replication {

struct Address {
  std::string host;     // a name, a numeric address, or the folder of a unix socket; empty: libpq's default folder
  std::string numeric;  // libpq's hostaddr; empty for unix sockets, and before resolve_hosts()
  std::string port;     // empty: the default

  friend bool operator==(const Address&, const Address&) = default;
};

// Splits libpq's three lists. Throws std::invalid_argument when their lengths do not fit.
std::vector<Address> split_hosts(const std::string& hosts, const std::string& numerics, const std::string& ports);

struct ResolvedHosts {
  std::vector<Address> addresses;
  std::vector<std::string> failures;  // a sentence for each name that has no address
};
event::Task<ResolvedHosts> resolve_hosts(event::Loop& loop, std::vector<Address> hosts);

}  // namespace walrelay::replication
