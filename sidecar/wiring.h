// From what the user wrote (config) to what the parts take: the one place that knows both.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/load.h"
#include "replication/connection.h"
#include "replication/publication.h"
#include "sidecar/loader.h"
#include "sidecar/status.h"
#include "sinks/mapping.h"
#include "sinks/redis_connection.h"
#include "sinks/redis_sink.h"

namespace walrelay::sidecar {

std::vector<config::KindRule> kind_rules();  // of every registered kind of write
std::vector<sinks::MappingSpec> mapping_specs(const config::Config& config);
// For a mapping that says nothing of its own.
sinks::OnPoison row_policy(const config::Config& config);
std::string address_of(const config::Target& target);  // "cache:6379/0", "/run/redis.sock"
std::string dotted_version(int number);                // of Redis: "7.0.15" for 70015; empty for 0
sinks::RedisOptions redis_options(const config::Target& target);
replication::ConnectionOptions postgres_options(const config::Source& source, bool replication, const char* role);
sinks::RedisSinkOptions sink_options(const config::Config& config, bool careful);
LoaderOptions loader_options(const config::Config& config, replication::ConnectionOptions connection);

// Throws StopError for a mapping's `table` that the database does not have.
void require_tables(const std::vector<sinks::MappingSpec>& mappings,
                    const std::map<replication::Oid, replication::TableInfo>& tables);

// Throws StopError, with the SQL, for a table whose rows this role may not read.
void require_select(const std::map<replication::Oid, replication::TableInfo>& tables);

// The cursor that says "every row was read".
std::string loaded_cursor(const replication::TableInfo& info);

// Counters of this session on top of earlier ones.
DocumentCounters add(const DocumentCounters& base, const DocumentCounters& more);
PipelineCounters add(const PipelineCounters& base, const PipelineCounters& more);
sinks::SinkCounters add(const sinks::SinkCounters& base, const sinks::SinkCounters& more);

}  // namespace walrelay::sidecar
