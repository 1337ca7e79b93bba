#include "sidecar/explain.h"

#include <simdjson.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <vector>

#include "event/loop.h"
#include "event/task.h"
#include "replication/publication.h"
#include "sidecar/json_documents.h"
#include "sidecar/relations.h"
#include "sidecar/wiring.h"
#include "sinks/stdout_sink.h"

namespace walrelay::sidecar {

using replication::ReplicaIdentity;
using replication::TableInfo;
using replication::Value;
using replication::ValueState;

namespace {

using Fields = std::vector<std::optional<std::string>>;

class Explainer {
 public:
  Explainer(event::Loop& loop, const config::Config& config, sinks::MappingSet& mappings, const ExplainedRow& asked)
      : loop_(loop),
        config_(config),
        mappings_(mappings),
        asked_(asked),
        connection_(loop, postgres_options(config.source, false, "explain")),
        relations_(mappings, types_) {}

  event::Task<> run() {
    auto learning = learn_json_documents(loop_, config_.target, mappings_);
    co_await std::move(learning);
    auto opening = connection_.open();
    co_await std::move(opening);
    auto describing = describe();
    co_await std::move(describing);
    require_columns("--row", asked_.row);
    if (!asked_.before.empty()) require_columns("--before", asked_.before);
    auto reading = read("{}");
    const Fields now = co_await std::move(reading);
    Fields before = now;
    if (!asked_.before.empty()) {
      auto reading_before = read(asked_.before);
      auto fields = co_await std::move(reading_before);
      before = std::move(fields);
    }
    apply(now, before);
  }

  [[nodiscard]] sinks::Batch& batch() { return batch_; }

 private:
  event::Task<> describe() {
    std::function<bool(std::string_view, std::string_view)> wanted = [this](std::string_view schema,
                                                                            std::string_view name) {
      return std::string(schema) + "." + std::string(name) == asked_.table;
    };
    auto finding = replication::find_tables(connection_, config_.source.publication, std::move(wanted));
    const auto found = co_await std::move(finding);
    if (found.empty()) {
      throw StopError(ExitCode::usage, "table \"" + asked_.table + "\" does not exist in this database");
    }
    info_ = found.front();
    columns_ = streamed_columns(info_);
    std::vector<replication::Oid> oids;
    for (const auto& column : columns_) oids.push_back(column.type_oid);
    auto loading = replication::load_types(connection_, std::move(oids), types_);
    co_await std::move(loading);
    bound_ = relations_.bind(info_);
    if (bound_.writer == nullptr) throw StopError(ExitCode::usage, "no mapping is for table \"" + asked_.table + "\"");
  }

  // The names in the JSON: PostgreSQL passes over those that it does not know.
  void require_columns(const std::string& flag, const std::string& text) const {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(text).get(object) != simdjson::SUCCESS) {
      throw StopError(ExitCode::usage, flag + " must be a JSON object, such as '{\"id\": 1}'");
    }
    for (const auto& member : object) {
      const auto known = [&member](const auto& column) { return column.name == member.key; };
      if (std::any_of(info_.columns.begin(), info_.columns.end(), known)) continue;
      throw StopError(ExitCode::usage,
                      flag + ": table \"" + asked_.table + "\" has no column \"" + std::string(member.key) + "\"");
    }
  }

  // The row with these members instead of its own, each column in PostgreSQL's own text form.
  event::Task<Fields> read(std::string instead) {
    std::string columns;
    for (const auto& column : columns_) {
      columns += (columns.empty() ? "" : ", ") + replication::quote_identifier(column.name);
    }
    const std::string sql = "SELECT " + columns + " FROM pg_catalog.jsonb_populate_record(NULL::" +
                            replication::quote_identifier(info_.schema) + "." +
                            replication::quote_identifier(info_.name) + ", $1::jsonb || $2::jsonb)";
    Fields given{asked_.row, instead};
    auto asking = connection_.query(sql, std::move(given), "read the row as one of table \"" + asked_.table + "\"");
    const auto result = co_await std::move(asking);
    Fields fields;
    for (std::size_t i = 0; i < columns_.size(); ++i) fields.push_back(result.at(0, i));
    co_return fields;
  }

  // As the stream would send the change: without FULL an old row is its identity, and comes where that is needed.
  void apply(const Fields& now, const Fields& before) {
    const bool full = info_.identity == ReplicaIdentity::full;
    std::vector<Value> new_row, old_row;
    bool identity_changed = false;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      new_row.push_back(value_of(now[i]));
      old_row.push_back(full || columns_[i].identity ? value_of(before[i]) : Value{ValueState::absent, {}});
      identity_changed = identity_changed || (columns_[i].identity && now[i] != before[i]);
    }
    replication::Change change;
    change.relation = bound_.relation.get();
    change.old_full = full;
    const bool updated = !asked_.before.empty();
    change.operation = asked_.gone ? replication::Operation::remove
                       : updated   ? replication::Operation::update
                                   : replication::Operation::insert;
    if (!asked_.gone) change.new_row = new_row;
    if (asked_.gone || (updated && (full || identity_changed))) change.old_row = old_row;
    (void)bound_.writer->apply(change, true, batch_);
  }

  static Value value_of(const std::optional<std::string>& field) {
    return field ? Value{ValueState::text, *field} : Value{ValueState::null, {}};
  }

  event::Loop& loop_;
  const config::Config& config_;
  sinks::MappingSet& mappings_;
  const ExplainedRow& asked_;
  replication::Connection connection_;
  replication::TypeCatalog types_;
  Relations relations_;
  TableInfo info_;
  std::vector<TableInfo::Column> columns_;
  Relations::Bound bound_;
  sinks::Batch batch_;
};

}  // namespace

ExitCode explain(const config::Config& config, sinks::MappingSet& mappings, const ExplainedRow& row, bool json) {
  event::Loop loop;
  Explainer explainer(loop, config, mappings, row);
  std::exception_ptr failure;
  event::Job job(loop, explainer.run(), [&](std::exception_ptr error) {
    failure = error;
    loop.stop();
  });
  loop.run();
  if (failure != nullptr) std::rethrow_exception(failure);
  sinks::Batch& batch = explainer.batch();
  if (batch.empty()) return ExitCode::ok;
  const auto commands = batch.take();
  std::cout << (json ? sinks::to_json_lines(commands) : sinks::to_readable(commands));
  return ExitCode::ok;
}

}  // namespace walrelay::sidecar
