#include "sidecar/check.h"

#include <algorithm>
#include <functional>

#include "replication/publication.h"
#include "replication/slot.h"
#include "sidecar/document_check.h"
#include "sidecar/eviction.h"
#include "sidecar/plain_text.h"
#include "sidecar/relations.h"
#include "sidecar/wiring.h"

namespace walrelay::sidecar {
namespace {

using Kind = Finding::Kind;
using replication::Connection;
using replication::TableInfo;

class Checker {
 public:
  Checker(event::Loop& loop, const config::Config& config, sinks::MappingSet& mappings)
      : loop_(loop),
        config_(config),
        mappings_(mappings),
        connection_(loop, postgres_options(config.source, false, "check")) {}

  event::Task<CheckReport> run() {
    for (const auto& sentence : config_.warnings) warning("configuration", sentence);
    auto postgres = guarded(&Checker::postgres, "PostgreSQL");
    co_await std::move(postgres);
    auto redis = guarded(&Checker::redis, "Redis");
    co_await std::move(redis);
    co_return std::move(report_);
  }

 private:
  using Step = event::Task<> (Checker::*)();

  event::Task<> guarded(Step step, std::string subject) {
    try {
      auto running = (this->*step)();
      co_await std::move(running);
    } catch (const std::exception& error) {
      const Verdict verdict = judge(error);
      fault(subject, verdict.sentence, "", verdict.code);
    }
  }

  void good(const std::string& subject, const std::string& sentence) {
    report_.findings.push_back({Kind::good, subject, sentence, ""});
  }
  void warning(const std::string& subject, const std::string& sentence, const std::string& sql = "") {
    report_.findings.push_back({Kind::warning, subject, sentence, sql});
  }
  void fault(const std::string& subject, const std::string& sentence, const std::string& sql, ExitCode code) {
    report_.findings.push_back({Kind::fault, subject, sentence, sql});
    if (report_.code == ExitCode::ok) report_.code = code;
  }

  event::Task<> postgres() {
    const std::string plain = plain_text_warning(config_.source);
    if (!plain.empty()) warning("PostgreSQL", plain);
    auto opening = connection_.open();
    co_await std::move(opening);
    good("PostgreSQL",
         "connected to " + connection_.peer() + ", version " + std::to_string(connection_.server_version() / 10000));
    auto server = server_settings();
    co_await std::move(server);
    auto finding = replication::find_slot(connection_, config_.source.slot);
    const auto slot = co_await std::move(finding);
    slot_state(slot);
    auto tables = tables_and_publication();
    co_await std::move(tables);
  }

  event::Task<> server_settings() {
    const std::string sql =
        "SELECT current_setting('wal_level'), current_setting('max_replication_slots')::int - (SELECT count(*) FROM "
        "pg_replication_slots), current_setting('max_wal_senders')::int - (SELECT count(*) FROM pg_stat_replication), "
        "(SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user), current_user, "
        "current_setting('max_slot_wal_keep_size'), EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = " +
        replication::quote_literal(config_.source.slot) + ")";
    auto asking = connection_.query(sql, "read the server's settings");
    const auto found = co_await std::move(asking);
    if (found.text(0, 0) == "logical") {
      good("PostgreSQL", "wal_level is logical");
    } else {
      fault("PostgreSQL", "wal_level is " + found.text(0, 0) + ", must be logical; needs a restart of the server",
            "ALTER SYSTEM SET wal_level = 'logical'", ExitCode::postgres);
    }
    const bool have_slot = found.text(0, 6) == "t";
    if (!have_slot && std::stoi(found.text(0, 1)) <= 0) {
      fault("PostgreSQL", "no replication slot is left; needs a restart of the server, or drop a slot that nobody uses",
            "ALTER SYSTEM SET max_replication_slots = 20", ExitCode::postgres);
    }
    if (std::stoi(found.text(0, 2)) <= 0) {
      fault("PostgreSQL", "no WAL sender is left; needs a restart of the server",
            "ALTER SYSTEM SET max_wal_senders = 20", ExitCode::postgres);
    }
    if (found.text(0, 3) != "t") {
      fault("PostgreSQL", "role \"" + found.text(0, 4) + "\" may not replicate",
            "ALTER ROLE " + replication::quote_identifier(found.text(0, 4)) + " REPLICATION", ExitCode::postgres);
    }
    if (found.text(0, 5) == "-1") {
      warning("PostgreSQL",
              "max_slot_wal_keep_size is not set: a sidecar that is away for long fills the server's disk with WAL",
              "ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'");
    }
  }

  void slot_state(const std::optional<replication::SlotState>& slot) {
    const std::string subject = "slot \"" + config_.source.slot + "\"";
    if (!slot) {
      if (config_.source.create_slot) {
        good(subject, "does not exist yet and will be created");
      } else {
        fault(subject, "does not exist, and source.create_slot is off",
              "SELECT pg_create_logical_replication_slot(" + replication::quote_literal(config_.source.slot) +
                  ", 'pgoutput')",
              ExitCode::postgres);
      }
    } else if (slot->plugin != "pgoutput") {
      fault(subject, "uses the plugin " + slot->plugin + ", not pgoutput: give source.slot another name", "",
            ExitCode::postgres);
    } else if (slot->wal_status == "lost") {
      fault(subject, "has lost WAL that was still needed: walrelay makes it anew and reads every table again (on_gap)",
            "", ExitCode::gap);
    } else {
      good(subject,
           slot->active ? "exists and is active: this process would wait as a stand-by" : "exists and is free");
    }
  }

  event::Task<> tables_and_publication() {
    std::function<bool(std::string_view, std::string_view)> wants =
        [this](std::string_view schema, std::string_view name) { return mappings_.wants(schema, name); };
    auto finding = replication::find_tables(connection_, config_.source.publication, std::move(wants));
    const auto tables = co_await std::move(finding);
    std::vector<replication::Oid> oids;
    for (const auto& table : tables) {
      for (const auto& column : table.columns) oids.push_back(column.type_oid);
    }
    auto typing = replication::load_types(connection_, std::move(oids), types_);
    co_await std::move(typing);
    Relations relations(mappings_, types_);
    std::vector<TableInfo> usable;
    for (const auto& table : tables) {
      if (one_table(table, relations)) usable.push_back(table);
    }
    missing_tables(tables);
    std::map<replication::Oid, TableInfo> by_oid;
    for (const auto& table : tables) by_oid[table.oid] = table;
    auto checking = document_mistakes(connection_, mappings_.documents(), std::move(by_oid));
    const auto mistakes = co_await std::move(checking);
    for (const auto& mistake : mistakes) fault("documents", mistake, "", ExitCode::configuration);
    auto looking = replication::find_publication(connection_, config_.source.publication);
    const auto publication = co_await std::move(looking);
    publication_state(publication, usable);
    auto estimating = memory();
    co_await std::move(estimating);
  }

  event::Task<> memory() {
    for (auto& [table, bound] : bound_) {
      auto estimating = estimate_memory(connection_, table, bound, report_.memory);
      co_await std::move(estimating);
    }
    for (const auto& each : report_.memory) good("mapping \"" + each.mapping + "\"", sentence(each));
  }

  // Whether the publication is to carry the table; also one that is to be mended first.
  bool one_table(const TableInfo& table, Relations& relations) {
    const std::string subject = "table " + table.qualified();
    const std::string quoted =
        replication::quote_identifier(table.schema) + "." + replication::quote_identifier(table.name);
    if (!table.usable_identity && mappings_.default_mapping()) {
      warning(subject, "has no usable replica identity; it is left out",
              "ALTER TABLE " + quoted + " REPLICA IDENTITY FULL");
      return false;
    }
    if (!table.may_select) {
      fault(subject, "may not be read by this role", "GRANT SELECT ON " + quoted + " TO CURRENT_USER",
            ExitCode::postgres);
    }
    if (!table.usable_identity) {
      fault(subject,
            "has no usable replica identity: its UPDATEs and DELETEs could not name a row; give it a PRIMARY KEY, or",
            "ALTER TABLE " + quoted + " REPLICA IDENTITY FULL", ExitCode::configuration);
      return true;
    }
    try {
      auto bound = relations.bind(table);
      if (bound.writer != nullptr && table.may_select) bound_.emplace_back(table, std::move(bound));
      good(subject, "about " + std::to_string(std::max<std::int64_t>(0, table.estimated_rows)) + " rows");
    } catch (const sinks::MappingError& error) {
      fault(subject, error.what(), "", ExitCode::configuration);
    }
    return true;
  }

  void missing_tables(const std::vector<TableInfo>& tables) {
    std::map<replication::Oid, TableInfo> by_oid;
    for (const auto& table : tables) by_oid[table.oid] = table;
    try {
      require_tables(mappings_.specs(), by_oid);
    } catch (const StopError& error) {
      fault("mapping", error.what(), "", error.code);
    }
  }

  void publication_state(const std::optional<replication::PublicationState>& publication,
                         const std::vector<TableInfo>& tables) {
    const std::string subject = "publication \"" + config_.source.publication + "\"";
    if (publication && mappings_.default_mapping()) {
      good(subject, "exists with " + std::to_string(publication->tables.size()) + " tables");
      return;
    }
    const auto statements = replication::publication_sql(config_.source.publication, publication, tables);
    if (statements.empty()) {
      good(subject, "carries the mapped tables");
      return;
    }
    std::string sql;
    for (const auto& statement : statements) sql += (sql.empty() ? "" : ";\n") + statement;
    const bool may = config_.source.manage_publication && (!publication || publication->owned) &&
                     std::all_of(tables.begin(), tables.end(), [](const auto& table) { return table.owned; });
    if (may) {
      good(subject,
           publication ? "will be altered to carry the mapped tables" : "does not exist yet and will be created");
    } else {
      fault(subject, "does not carry exactly the mapped tables, and this role may not alter it", sql,
            ExitCode::postgres);
    }
  }

  event::Task<> redis() {
    sinks::RedisConnection connection(loop_, redis_options(config_.target));
    auto opening = connection.open();
    co_await std::move(opening);
    const int version = connection.server_version();
    good("Redis", "connected, version " + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100));
    auto asking = eviction_policy(connection);
    const std::string policy = co_await std::move(asking);
    const std::string refusal = eviction_refusal(policy, mappings_.specs());
    const std::string trouble = eviction_warning(policy, mappings_.specs());
    if (!refusal.empty()) {
      fault("Redis", refusal, "", ExitCode::configuration);
    } else if (!trouble.empty()) {
      warning("Redis", trouble);
    } else if (!policy.empty()) {
      good("Redis", "maxmemory-policy is " + policy);
    }
    connection.close();
  }

  event::Loop& loop_;
  const config::Config& config_;
  sinks::MappingSet& mappings_;
  Connection connection_;
  replication::TypeCatalog types_;
  std::vector<std::pair<TableInfo, Relations::Bound>> bound_;  // those that can be written
  CheckReport report_;
};

}  // namespace

event::Task<CheckReport> check(event::Loop& loop, const config::Config& config, sinks::MappingSet& mappings) {
  Checker checker(loop, config, mappings);
  auto running = checker.run();
  auto report = co_await std::move(running);
  co_return report;
}

}  // namespace walrelay::sidecar
