// The process and the two servers, as gauges (metrics.h).
#include <microhttpd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "replication/connection_version.h"
#include "sidecar/metrics.h"
#include "sidecar/metrics_page.h"
#include "sidecar/version.h"
#include "sidecar/wall_clock.h"
#include "sinks/library_versions.h"

namespace walrelay::sidecar {

namespace {

struct Memory {
  std::int64_t total = 0, resident = 0;  // bytes; 0 where there is no /proc
};

Memory memory_of_process() {
  std::ifstream statm("/proc/self/statm");
  Memory memory;
  if (!(statm >> memory.total >> memory.resident)) return {};
  const std::int64_t page = sysconf(_SC_PAGESIZE);
  return {memory.total * page, memory.resident * page};
}

// The one that counts them among it.
double open_descriptors() {
  std::error_code error;
  std::filesystem::directory_iterator each("/proc/self/fd", error), end;
  double count = 0;
  for (; !error && each != end; each.increment(error)) ++count;
  return std::max(0.0, count - 1);
}

double limit_of(rlim_t limit) { return limit == RLIM_INFINITY ? INFINITY : static_cast<double>(limit); }

// Unix time; about when the program was loaded.
double start_time() {
  static const double began = static_cast<double>(wall_clock_us()) / 1e6;
  return began;
}

[[maybe_unused]] const double kBegan = start_time();

void append_memory(MetricsPage& page) {
  const Memory memory = memory_of_process();
  page.gauge("process_resident_memory_bytes", "Resident memory.", bytes(memory.resident));
  page.gauge("process_virtual_memory_bytes", "Virtual memory.", bytes(memory.total));
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  page.gauge("process_virtual_memory_max_bytes", "Virtual memory that the process may have.", limit_of(limit.rlim_cur));
}

}  // namespace

std::int64_t resident_bytes() { return memory_of_process().resident; }

void append_servers(MetricsPage& page, const Status& status) {
  page.gauge("walrelay_postgres_connected", "Connected to PostgreSQL.", status.postgres_connected ? 1 : 0);
  page.gauge("walrelay_redis_connected", "Connected to Redis.", status.redis_connected ? 1 : 0);
  if (const PostgresFigures& postgres = status.postgres; status.postgres_connected && postgres.known) {
    page.gauge("walrelay_postgres_connections", "Connections of the whole PostgreSQL server, anybody's.",
               whole(postgres.connections));
    page.gauge("walrelay_postgres_connections_max", "Connections that PostgreSQL takes (max_connections).",
               whole(postgres.connections_max));
  }
  const RedisFigures& redis = status.redis;
  if (!redis.known) return;
  page.gauge("walrelay_redis_memory_used_bytes", "Memory that Redis uses.", whole(redis.memory_used));
  page.gauge("walrelay_redis_memory_max_bytes", "Memory that Redis may use (maxmemory); 0: no limit.",
             whole(redis.memory_max));
  page.gauge("walrelay_redis_clients", "Connections of the whole Redis server, anybody's.", whole(redis.clients));
  page.gauge("walrelay_redis_clients_max", "Connections that Redis takes (maxclients).", whole(redis.clients_max));
  page.counter("walrelay_redis_keyspace_hits_total", "Reads of keys that were there, by anybody, since Redis began.",
               whole(redis.hits));
  page.counter("walrelay_redis_keyspace_misses_total",
               "Reads of keys that were not there, by anybody, since Redis began.", whole(redis.misses));
  page.counter("walrelay_redis_expired_keys_total", "Keys whose lifetime ended, anybody's.", whole(redis.expired));
  page.counter("walrelay_redis_evicted_keys_total", "Keys that Redis forgot to stay below maxmemory.",
               whole(redis.evicted));
}

void append_process(MetricsPage& page, const Status& status) {
  page.gauge("walrelay_build_info", "1; the versions, and the commit that it was built from, are labels.", 1,
             {{"version", version()},
              {"revision", revision()},
              {"libpq", replication::libpq_version()},
              {"hiredis", sinks::hiredis_version()},
              {"sqlite", sinks::sqlite_version()},
              {"libmicrohttpd", MHD_get_version()}});
  page.counter("walrelay_event_loop_idle_seconds_total", "Time that the process had nothing to do.",
               status.loop_idle_seconds);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  page.counter("process_cpu_seconds_total", "User and system time.", seconds(usage.ru_utime) + seconds(usage.ru_stime));
  page.gauge("process_start_time_seconds", "When the process began, Unix time.", start_time());
  page.gauge("process_open_fds", "Open file descriptors.", open_descriptors());
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  page.gauge("process_max_fds", "File descriptors that the process may have.", limit_of(limit.rlim_cur));
  append_memory(page);
}

}  // namespace walrelay::sidecar
