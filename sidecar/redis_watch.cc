#include "sidecar/redis_watch.h"

#include <algorithm>
#include <charconv>

namespace walrelay::sidecar {

namespace {

constexpr event::milliseconds kEvery{15000};

sinks::RedisOptions named(sinks::RedisOptions options) {
  options.client_name += "-watch";
  return options;
}

}  // namespace

RedisFigures redis_figures(std::string_view info) {
  RedisFigures figures;
  const struct {
    std::string_view name;
    std::uint64_t& into;
  } fields[] = {{"used_memory", figures.memory_used}, {"maxmemory", figures.memory_max},
                {"keyspace_hits", figures.hits},      {"keyspace_misses", figures.misses},
                {"evicted_keys", figures.evicted},    {"connected_clients", figures.clients},
                {"maxclients", figures.clients_max}};
  while (!info.empty()) {
    const std::string_view line = info.substr(0, info.find('\n'));
    info.remove_prefix(std::min(info.size(), line.size() + 1));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    for (const auto& field : fields) {
      if (field.name != line.substr(0, colon)) continue;
      (void)std::from_chars(line.data() + colon + 1, line.data() + line.size(), field.into);
    }
  }
  figures.known = figures.memory_used > 0;
  return figures;
}

RedisWatch::RedisWatch(event::Loop& loop, sinks::RedisOptions options, RedisFigures& figures)
    : loop_(loop),
      connection_(loop, named(std::move(options))),
      figures_(figures),
      job_(loop, watch(), [](const std::exception_ptr&) {}) {}

RedisWatch::~RedisWatch() { figures_ = {}; }

event::Task<> RedisWatch::ask() {
  if (!connection_.is_open()) {
    auto opening = connection_.open();
    co_await std::move(opening);
  }
  std::vector<std::string> info_command;
  info_command.emplace_back("INFO");
  auto asking = connection_.command(std::move(info_command));
  const sinks::Reply info = co_await std::move(asking);
  figures_ = redis_figures(info.text);
}

event::Task<> RedisWatch::watch() {
  for (;;) {
    try {
      auto asking = ask();
      co_await std::move(asking);
    } catch (const std::exception&) {
      figures_ = {};
    }
    auto pause = event::sleep(loop_, kEvery);
    co_await std::move(pause);
  }
}

}  // namespace walrelay::sidecar
