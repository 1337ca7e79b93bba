#include "sidecar/rereads.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "replication/connection.h"
#include "sinks/mapping.h"
#include "sinks/row_identity.h"

namespace walrelay::sidecar {

using replication::Oid;
using replication::Row;
using replication::ValueState;

RowKey row_key(const replication::Relation& relation, Row row) {
  const bool full = relation.identity == replication::ReplicaIdentity::full;
  const bool primary =
      std::any_of(relation.columns.begin(), relation.columns.end(), [](const auto& column) { return column.primary; });
  RowKey key;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const auto& column = relation.columns[i];
    if (!(full && primary ? column.primary : column.identity)) continue;
    key.emplace_back(column.name, row[i].has_text() ? std::optional<std::string>(row[i].text) : std::nullopt);
  }
  return key;
}

RowKey row_of_identity(const replication::Relation& relation, const std::vector<std::size_t>& columns,
                       std::string_view identity) {
  RowKey key;
  for (const std::size_t column : columns) {
    const std::optional<std::string_view> text = sinks::next_of_identity(identity);
    key.emplace_back(relation.columns[column].name, text ? std::optional<std::string>(*text) : std::nullopt);
  }
  return key;
}

std::vector<replication::Value> values_of(const RowKey& key, const replication::Relation& relation) {
  std::vector<replication::Value> row(relation.columns.size(), {ValueState::absent, {}});
  for (std::size_t i = 0; i < row.size(); ++i) {
    for (const auto& [name, value] : key) {
      if (name != relation.columns[i].name) continue;
      row[i] = value ? replication::Value{ValueState::text, *value} : replication::Value{ValueState::null, {}};
    }
  }
  return row;
}

namespace {

// Netstrings: any bytes, no escaping.
void append_word(std::string& out, std::string_view word) {
  out += std::to_string(word.size());
  out += ':';
  out += word;
}

std::optional<std::string> next_word(std::string_view& text) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.empty() || text.front() != ':' || text.size() - 1 < size) return std::nullopt;
  std::string word(text.substr(1, size));
  text.remove_prefix(1 + size);
  return word;
}

}  // namespace

std::string to_note(std::string_view schema, std::string_view table, const RowKey& key) {
  std::string note;
  append_word(note, schema);
  append_word(note, table);
  for (const auto& [name, value] : key) {
    append_word(note, name);
    append_word(note, value ? "=" + *value : "");
  }
  return note;
}

std::optional<Note> parse_note(std::string_view text) {
  Note note;
  auto schema = next_word(text);
  auto table = schema ? next_word(text) : std::nullopt;
  if (!table) return std::nullopt;
  note.schema = std::move(*schema);
  note.table = std::move(*table);
  while (!text.empty()) {
    auto name = next_word(text);
    auto value = name ? next_word(text) : std::nullopt;
    if (!value) return std::nullopt;
    note.key.emplace_back(std::move(*name),
                          value->empty() ? std::nullopt : std::optional<std::string>(value->substr(1)));
  }
  return note;
}

std::string where_clause(const std::vector<const RowKey*>& keys) {
  std::string sql;
  for (const RowKey* key : keys) {
    if (!sql.empty()) sql += " OR ";
    sql += '(';
    for (std::size_t i = 0; i < key->size(); ++i) {
      const auto& [name, value] = (*key)[i];
      if (i > 0) sql += " AND ";
      sql += replication::quote_identifier(name);
      sql += value ? " = " + replication::quote_literal(*value) : std::string(" IS NULL");
    }
    sql += ')';
  }
  return sql;
}

void Reread::merge(Row row) {
  image_.resize(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i].state == ValueState::unchanged) continue;
    image_[i].state = row[i].state;
    image_[i].text = row[i].text;
  }
}

void Reread::forget(std::uint64_t next_chunk) {
  image_.clear();
  first_chunk = next_chunk;
  reading = false;
}

void Reread::replace(Row row) {
  image_.clear();
  fill(row);
}

void Reread::fill(Row row) {
  image_.resize(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (image_[i].state != ValueState::unchanged) continue;
    image_[i].state = row[i].state;
    image_[i].text = row[i].text;
  }
}

bool Reread::complete() const {
  return !image_.empty() && std::none_of(image_.begin(), image_.end(),
                                         [](const Cell& cell) { return cell.state == ValueState::unchanged; });
}

std::vector<replication::Value> Reread::values() const {
  std::vector<replication::Value> values;
  values.reserve(image_.size());
  for (const Cell& cell : image_) values.push_back({cell.state, cell.text});
  return values;
}

std::string Rereads::name(Oid table, std::string_view identity) {
  return std::to_string(table) + '/' + std::string(identity);
}

bool Rereads::any_unread() const {
  return std::any_of(rows_.begin(), rows_.end(), [](const auto& row) { return !row.second.reading; });
}

Reread* Rereads::find(Oid table, std::string_view identity) {
  const auto found = rows_.find(name(table, identity));
  return found == rows_.end() ? nullptr : &found->second;
}

Reread& Rereads::add(Oid table, std::string_view identity, RowKey key, std::string note, std::uint64_t next_chunk) {
  const std::string row = name(table, identity);
  const auto before = rows_.find(row);
  if (before != rows_.end()) remove(before);
  return rows_.emplace(row, Reread(table, std::move(key), std::move(note), next_chunk)).first->second;
}

void Rereads::hold(Reread& reread) {
  if (std::exchange(reread.holds, true)) return;
  if (++holding_ == 1 && on_held) on_held(true);
}

Rereads::Rows::iterator Rereads::remove(Rows::iterator row) {
  const bool held = row->second.holds;
  const auto next = rows_.erase(row);
  if (held && --holding_ == 0 && on_held) on_held(false);
  return next;
}

void Rereads::erase(Oid table, std::string_view identity) {
  const auto row = rows_.find(name(table, identity));
  if (row != rows_.end()) remove(row);
}

void Rereads::forget_table(Oid table, std::uint64_t next_chunk) {
  for (auto& [row, reread] : rows_) {
    if (reread.table == table) reread.forget(next_chunk);
  }
}

std::vector<std::string> Rereads::drop_table(Oid table) {
  std::vector<std::string> notes;
  for (auto row = rows_.begin(); row != rows_.end();) {
    if (row->second.table == table) {
      notes.push_back(row->second.note);
      row = remove(row);
    } else {
      ++row;
    }
  }
  return notes;
}

std::vector<std::string> Rereads::supersede_table(Oid table, std::uint64_t next_chunk) {
  std::vector<std::string> notes;
  for (auto row = rows_.begin(); row != rows_.end();) {
    Reread& reread = row->second;
    if (reread.table == table && !reread.holds) {
      notes.push_back(reread.note);
      row = remove(row);
      continue;
    }
    if (reread.table == table) reread.forget(next_chunk);
    ++row;
  }
  return notes;
}

std::vector<std::pair<std::string, Reread*>> Rereads::take(std::size_t most, Oid& table) {
  std::vector<std::pair<std::string, Reread*>> taken;
  for (auto& [row, reread] : rows_) {
    if (reread.reading || (!taken.empty() && reread.table != table)) continue;
    table = reread.table;
    reread.reading = true;
    taken.emplace_back(row.substr(row.find('/') + 1), &reread);
    if (taken.size() == most) break;
  }
  return taken;
}

}  // namespace walrelay::sidecar
