#include "sidecar/wiring.h"

#include <algorithm>

#include "sidecar/policy.h"

namespace walrelay::sidecar {

namespace {

config::ParameterRule::Shape shape_of(sinks::ParameterShape shape) {
  using To = config::ParameterRule::Shape;
  switch (shape) {
    case sinks::ParameterShape::template_:
      return To::template_;
    case sinks::ParameterShape::column:
      return To::column;
    case sinks::ParameterShape::choice:
      return To::choice;
    case sinks::ParameterShape::choices:
      return To::choices;
    case sinks::ParameterShape::duration:
      return To::duration;
    case sinks::ParameterShape::number:
      return To::number;
    case sinks::ParameterShape::flag:
      return To::flag;
    case sinks::ParameterShape::columns:
      return To::columns;
    case sinks::ParameterShape::expression:
      return To::expression;
    case sinks::ParameterShape::lifetime:
      return To::lifetime;
    case sinks::ParameterShape::explode:
      return To::explode;
    case sinks::ParameterShape::tables:
      return To::tables;
  }
  return To::template_;
}

sinks::Parameter parameter_of(const config::Parameter& from) {
  sinks::Parameter to;
  to.text = from.text;
  to.duration = from.duration;
  to.number = from.number;
  to.flag = from.flag;
  to.include = from.include;
  to.exclude = from.exclude;
  to.rename = from.rename;
  const auto& life = from.lifetime;
  to.lifetime = {life.constant, life.at, life.unit, life.add, life.jitter, life.on_change};
  to.explode = {from.explode.column, from.explode.field, from.explode.value, from.explode.where};
  return to;
}

sinks::IdentitySpec identity_of(const config::Identity& from) {
  using From = config::Identity::Form;
  using To = sinks::IdentitySpec::Form;
  switch (from.form) {
    case From::any:
      return {};
    case From::primary_key:
      return {To::primary_key, {}};
    case From::full:
      return {To::full, {}};
    case From::columns:
      return {To::columns, from.columns};
  }
  return {};
}

sinks::OnPoison policy_named(const std::string& word) {
  if (word == "skip") return sinks::OnPoison::skip;
  return word == "dead_letter" ? sinks::OnPoison::dead_letter : sinks::OnPoison::stop;
}

}  // namespace

sinks::OnPoison row_policy(const config::Config& config) { return policy_named(config.on_row_error); }

std::vector<config::KindRule> kind_rules() {
  std::vector<config::KindRule> rules;
  for (const auto& kind : sinks::kinds()) {
    config::KindRule rule;
    rule.name = kind.name;
    rule.help = kind.help;
    for (const auto& parameter : kind.parameters) {
      config::ParameterRule each;
      each.name = parameter.name;
      each.shape = shape_of(parameter.shape);
      each.required = parameter.required;
      each.choices = parameter.choices;
      each.help = parameter.help;
      rule.parameters.push_back(std::move(each));
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

std::vector<sinks::MappingSpec> mapping_specs(const config::Config& config) {
  std::vector<sinks::MappingSpec> specs;
  for (const auto& mapping : config.mappings) {
    sinks::MappingSpec spec;
    spec.name = mapping.name;
    spec.table = mapping.table;
    spec.tables = mapping.tables;
    spec.let = mapping.let;
    spec.identity = identity_of(mapping.identity);
    spec.allow_eviction = mapping.allow_eviction;
    spec.on_poison = mapping.on_poison.empty() ? row_policy(config) : policy_named(mapping.on_poison);
    spec.purge_gone = mapping.purge_gone;
    spec.where = mapping.where;
    for (const auto& write : mapping.writes) {
      sinks::WriteSpec each;
      each.kind = write.kind;
      each.where = write.where;
      for (const auto& [name, from] : write.parameters) each.parameters.emplace(name, parameter_of(from));
      spec.writes.push_back(std::move(each));
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

std::string address_of(const config::Target& target) {
  if (!target.unix_path.empty()) return target.unix_path;
  const bool six = target.host.find(':') != std::string::npos;
  return (six ? "[" + target.host + "]" : target.host) + ":" + std::to_string(target.port) + "/" +
         std::to_string(target.database);
}

std::string dotted_version(int number) {
  constexpr int kPart = 100;
  if (number == 0) return "";
  return std::to_string(number / kPart / kPart) + "." + std::to_string(number / kPart % kPart) + "." +
         std::to_string(number % kPart);
}

sinks::RedisOptions redis_options(const config::Target& target) {
  sinks::RedisOptions options;
  options.host = target.host;
  options.unix_path = target.unix_path;
  options.port = target.port;
  options.user = target.user;
  if (target.password.given()) options.password = [&target] { return target.password.read().reveal(); };
  options.database = target.database;
  options.tls = target.tls;
  options.tls_ca = target.tls_ca;
  options.tls_certificate = target.tls_certificate;
  options.tls_key = target.tls_key;
  options.tls_server_name = target.tls_server_name;
  options.tls_verify = target.tls_verify;
  options.reply_timeout = target.timeout;
  return options;
}

replication::ConnectionOptions postgres_options(const config::Source& source, bool replication, const char* role) {
  replication::ConnectionOptions options;
  options.parameters = source.parameters;
  if (source.key_password.given()) options.parameters.emplace_back("sslpassword", source.key_password.read().reveal());
  if (source.password.given()) options.password = [&source] { return source.password.read().reveal(); };
  options.replication = replication;
  options.application_name = "walrelay " + source.slot + " " + role;
  return options;
}

sinks::RedisSinkOptions sink_options(const config::Config& config, bool careful) {
  sinks::RedisSinkOptions options;
  options.slot = config.source.slot;
  options.flush.interval = config.flush.interval;
  options.flush.batch_size = config.flush.batch_size;
  options.flush.max_bytes = config.flush.max_bytes;
  options.flush.max_transaction = config.flush.max_transaction;
  options.ack.replicas = config.ack.replicas;
  options.ack.fsynced = config.ack.fsynced;
  options.careful = careful;
  options.most_letters = config.dead_letter_limit;
  return options;
}

LoaderOptions loader_options(const config::Config& config, replication::ConnectionOptions connection) {
  LoaderOptions options;
  options.connection = std::move(connection);
  options.connections = static_cast<std::size_t>(std::max(1, config.load.connections));
  options.chunk_bytes = config.load.chunk_bytes;
  options.format = config.source.format;
  options.load_key = sinks::load_key(config.source.slot);
  return options;
}

void require_tables(const std::vector<sinks::MappingSpec>& mappings,
                    const std::map<replication::Oid, replication::TableInfo>& tables) {
  for (const auto& mapping : mappings) {
    if (mapping.table.empty()) continue;
    const bool qualified = mapping.table.find('.') != std::string::npos;
    const std::string name = qualified ? mapping.table : "public." + mapping.table;
    const bool found = std::any_of(tables.begin(), tables.end(),
                                   [&name](const auto& each) { return each.second.qualified() == name; });
    if (!found) {
      throw StopError(ExitCode::configuration,
                      mapping.where + ": table \"" + name +
                          "\" does not exist in this database, or the publication does not carry "
                          "it: create it, or correct the mapping");
    }
  }
}

void require_select(const std::map<replication::Oid, replication::TableInfo>& tables) {
  for (const auto& [oid, table] : tables) {
    if (table.may_select) continue;
    throw StopError(ExitCode::postgres,
                    "table \"" + table.qualified() +
                        "\" may not be read by this role (its rows, or a column, or its schema); run: GRANT "
                        "SELECT ON " +
                        replication::quote_identifier(table.schema) + "." + replication::quote_identifier(table.name) +
                        " TO the role");
  }
}

std::string loaded_cursor(const replication::TableInfo& info) { return TableLoad(info, {}, "", 1).done_cursor(); }

DocumentCounters add(const DocumentCounters& base, const DocumentCounters& more) {
  return {base.marks + more.marks, base.read + more.read, base.lookups + more.lookups, base.overflows + more.overflows};
}

PipelineCounters add(const PipelineCounters& base, const PipelineCounters& more) {
  return {base.transactions + more.transactions,
          base.skipped_transactions + more.skipped_transactions,
          base.changes + more.changes,
          base.rereads + more.rereads,
          base.skipped_rows + more.skipped_rows,
          base.messages + more.messages,
          base.refused_messages + more.refused_messages,
          base.filtered + more.filtered};
}

sinks::SinkCounters add(const sinks::SinkCounters& base, const sinks::SinkCounters& more) {
  sinks::SinkCounters sum = more;
  sum.batches += base.batches;
  sum.commands += base.commands;
  sum.rows += base.rows;
  sum.coalesced += base.coalesced;
  sum.transactions += base.transactions;
  sum.bytes += base.bytes;
  sum.refused += base.refused;
  sum.skipped += base.skipped;
  sum.refused_rows += base.refused_rows;
  sum.refused_notes += base.refused_notes;
  for (const auto& [mapping, asked] : base.invalidated) {
    sum.invalidated[mapping].keys += asked.keys;
    sum.invalidated[mapping].patterns += asked.patterns;
  }
  sum.invalidation_scans += base.invalidation_scans;
  sum.invalidated_keys += base.invalidated_keys;
  return sum;
}

}  // namespace walrelay::sidecar
