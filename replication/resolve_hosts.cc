#include "replication/resolve_hosts.h"

#include <stdexcept>

namespace walrelay::replication {

namespace {

// An empty list has one empty element, as in libpq.
std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> elements;
  std::size_t from = 0;
  for (;;) {
    const std::size_t comma = list.find(',', from);
    elements.push_back(list.substr(from, comma - from));
    if (comma == std::string::npos) return elements;
    from = comma + 1;
  }
}

bool needs_look_up(const Address& address) {
  if (!address.numeric.empty() || address.host.empty()) return false;
  return address.host.front() != '/' && address.host.front() != '@';  // '@': a socket in the abstract namespace
}

}  // namespace

std::vector<Address> split_hosts(const std::string& hosts, const std::string& numerics, const std::string& ports) {
  const auto names = split(hosts), addresses = split(numerics), numbers = split(ports);
  const std::size_t count = numerics.empty() ? names.size() : addresses.size();
  if (!hosts.empty() && names.size() != count) {
    throw std::invalid_argument("there are " + std::to_string(names.size()) + " hosts but " + std::to_string(count) +
                                " hostaddr values; give as many of each");
  }
  if (numbers.size() != 1 && numbers.size() != count) {
    throw std::invalid_argument("there are " + std::to_string(numbers.size()) + " ports for " + std::to_string(count) +
                                " hosts; give one port, or one for each host");
  }
  std::vector<Address> split;
  for (std::size_t i = 0; i < count; ++i) {
    split.push_back({.host = hosts.empty() ? "" : names[i],
                     .numeric = numerics.empty() ? "" : addresses[i],
                     .port = numbers.size() == 1 ? numbers[0] : numbers[i]});
  }
  return split;
}

event::Task<ResolvedHosts> resolve_hosts(event::Loop& loop, std::vector<Address> hosts) {
  ResolvedHosts resolved;
  for (const Address& host : hosts) {
    if (!needs_look_up(host)) {
      resolved.addresses.push_back(host);
      continue;
    }
    try {
      auto looking = event::resolve(loop, host.host);
      const std::vector<std::string> found = co_await std::move(looking);
      for (const std::string& numeric : found) resolved.addresses.push_back({host.host, numeric, host.port});
    } catch (const std::runtime_error& error) {
      resolved.failures.emplace_back(error.what());
    }
  }
  co_return resolved;
}

}  // namespace walrelay::replication
