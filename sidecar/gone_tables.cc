#include "sidecar/gone_tables.h"

#include <algorithm>
#include <set>

#include "config/json_text.h"
#include "sidecar/json_look.h"
#include "sidecar/log.h"
#include "sinks/bookkeeping.h"
#include "sinks/checkpoint.h"

namespace walrelay::sidecar {

using config::Json;
using replication::TableInfo;

std::string table_note(const TableInfo& info) {
  const auto flag = [](bool value) { return Json::raw(value ? "true" : "false"); };
  Json columns = Json::array();
  for (const TableInfo::Column& column : streamed_columns(info)) {
    columns.add(Json::object()
                    .with("name", Json::text(column.name))
                    .with("type", Json::raw(std::to_string(column.type_oid)))
                    .with("modifier", Json::raw(std::to_string(column.type_modifier)))
                    .with("identity", flag(column.identity))
                    .with("primary", flag(column.primary)));
  }
  return Json::object()
      .with("oid", Json::raw(std::to_string(info.oid)))
      .with("schema", Json::text(info.schema))
      .with("name", Json::text(info.name))
      .with("identity", Json::text(std::string(1, static_cast<char>(info.identity))))
      .with("columns", std::move(columns))
      .print();
}

std::optional<TableInfo> parse_table_note(const std::string& text) {
  simdjson::dom::parser parser;
  JsonElement json;
  if (parser.parse(text).get(json) != simdjson::SUCCESS) return std::nullopt;
  TableInfo info;
  info.oid = static_cast<replication::Oid>(value_of<std::uint64_t>(json, "oid").value_or(0));
  info.schema = text_of(json, "schema");
  info.name = text_of(json, "name");
  const std::string identity = text_of(json, "identity");
  if (info.oid == 0 || info.name.empty() || identity.size() != 1) return std::nullopt;
  info.identity = static_cast<replication::ReplicaIdentity>(identity.front());
  for (const JsonElement each : elements_of(json, "columns")) {
    TableInfo::Column column;
    column.name = text_of(each, "name");
    column.type_oid = static_cast<replication::Oid>(value_of<std::uint64_t>(each, "type").value_or(0));
    column.type_modifier = static_cast<std::int32_t>(value_of<std::int64_t>(each, "modifier").value_or(-1));
    column.identity = is_true(each, "identity");
    column.primary = is_true(each, "primary");
    info.columns.push_back(std::move(column));
  }
  info.usable_identity = true;
  return info;
}

GoneTables::GoneTables(const std::string& slot, Relations& relations, sinks::Sink& sink)
    : tables_key_(sinks::tables_key(slot)), load_key_(sinks::load_key(slot)), relations_(relations), sink_(sink) {}

void GoneTables::restore(const std::map<std::string, std::string>& notes) { notes_ = notes; }

void GoneTables::note(const TableInfo& info) {
  const std::string name = info.qualified();
  if (!relations_.purges(info)) {
    if (notes_.count(name) != 0) forget(name);
    return;
  }
  std::string text = table_note(info);
  const auto known = notes_.find(name);
  if (known != notes_.end() && known->second == text) return;
  write({"HSET", tables_key_, name, text});
  notes_[name] = std::move(text);
}

void GoneTables::look(const std::vector<TableInfo>& found, const std::function<std::uint64_t()>& ask_end) {
  if (notes_.empty()) return;
  std::set<std::string> names;
  for (const TableInfo& info : found) names.insert(info.qualified());
  for (const auto& [name, text] : notes_) {
    if (names.count(name) != 0) {
      gone_.erase(name);
    } else if (gone_.count(name) == 0) {
      gone_[name] = ask_end();
    }
  }
}

void GoneTables::purge(const std::function<bool(std::uint64_t)>& passed) {
  if (sink_.full()) return;  // also until what is being removed is
  removing_.reset();
  const auto due = std::find_if(gone_.begin(), gone_.end(), [&](const auto& each) { return passed(each.second); });
  if (due == gone_.end()) return;
  const std::string name = due->first;
  gone_.erase(due);
  remove(name);
  forget(name);
}

void GoneTables::remove(const std::string& name) {
  const auto info = parse_table_note(notes_[name]);
  if (!info)
    return log::warn("what Redis has noted of a table that is gone cannot be read; its keys stay", {{"table", name}});
  try {
    removing_ = relations_.bind(*info);
  } catch (const sinks::MappingError& error) {
    return log::warn(std::string("the keys of a table that is gone stay in Redis: ") + error.what(), {{"table", name}});
  }
  if (removing_->writer == nullptr) return;  // no mapping takes it any more
  std::vector<sinks::OwnedKeys> owned = removing_->writer->purged();
  std::erase_if(owned, [](const sinks::OwnedKeys& keys) { return keys.none_at_all(); });
  if (owned.empty()) return;
  log::info("removing the keys of a table that is gone", {{"table", name}});
  std::vector<std::uint32_t> writes = sinks::writes_of(owned);
  sink_.remove_owned(std::move(owned), std::move(writes));
}

void GoneTables::forget(const std::string& name) {
  notes_.erase(name);
  write({"HDEL", tables_key_, name});
  write({"HDEL", load_key_, name});
}

void GoneTables::write(const std::vector<std::string_view>& command) {
  sinks::append(sinks::Bookkeeping::tables, command, sink_.batch());
  sink_.loaded(0);
}

}  // namespace walrelay::sidecar
