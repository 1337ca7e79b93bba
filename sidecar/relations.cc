#include "sidecar/relations.h"

#include <algorithm>

#include "replication/binary_text.h"

namespace walrelay::sidecar {

using replication::Oid;
using replication::Relation;
using replication::RelationColumn;
using replication::TableInfo;

std::vector<TableInfo::Column> streamed_columns(const TableInfo& info) {
  std::vector<TableInfo::Column> columns;
  for (const auto& column : info.columns) {
    const auto& listed = info.published_columns;
    const bool published = listed.empty() || std::find(listed.begin(), listed.end(), column.name) != listed.end();
    if (published && !column.generated) columns.push_back(column);
  }
  return columns;
}

namespace {

class Hash {  // FNV-1a
 public:
  void mix(std::string_view text) {
    for (const char c : text) add(static_cast<unsigned char>(c));
    add(0xff);
  }
  [[nodiscard]] std::string text() const { return std::to_string(hash_); }

 private:
  void add(std::uint64_t byte) { hash_ = (hash_ ^ byte) * 1099511628211ULL; }
  std::uint64_t hash_ = 14695981039346656037ULL;
};

}  // namespace

std::string signature(const TableInfo& info) {
  Hash hash;
  hash.mix(std::string(1, static_cast<char>(info.identity)));
  for (const auto& column : streamed_columns(info)) {
    hash.mix(column.name);
    hash.mix(std::to_string(column.type_oid) + (column.identity ? "i" : "") + (column.primary ? "p" : ""));
    hash.mix(std::to_string(column.number));
  }
  return hash.text();
}

std::string rewriting(const TableInfo& info) {
  Hash definition, files;
  for (const auto& column : streamed_columns(info)) definition.mix(column.defined_by);
  files.mix(info.files);
  return definition.text() + "," + files.text();
}

bool is_rewritten(std::string_view before, std::string_view now) {
  const std::size_t comma = before.find(','), other = now.find(',');
  return before.substr(0, comma) != now.substr(0, other) && before.substr(comma + 1) != now.substr(other + 1);
}

namespace {

std::uint64_t next_version() {
  static std::uint64_t version = std::uint64_t{1} << 32;  // apart from the versions of the stream's messages
  return ++version;
}

std::unique_ptr<Relation> relation_of(const TableInfo& info, const replication::TypeCatalog& types) {
  auto relation = std::make_unique<Relation>();
  relation->oid = info.oid;
  relation->schema = info.schema;
  relation->name = info.name;
  relation->identity = info.identity;
  relation->candidates = info.candidates;
  relation->version = next_version();
  for (const auto& column : streamed_columns(info)) {
    relation->columns.push_back({column.name, column.type_oid, column.type_modifier, column.identity, column.primary,
                                 types.find(column.type_oid)});
  }
  return relation;
}

bool same_shape(const Relation& a, const Relation& b) {
  const auto same_column = [](const RelationColumn& x, const RelationColumn& y) {
    return x.name == y.name && x.type_oid == y.type_oid && x.type_modifier == y.type_modifier &&
           x.identity == y.identity && x.primary == y.primary;
  };
  return a.schema == b.schema && a.name == b.name && a.identity == b.identity &&
         std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(), same_column);
}

}  // namespace

bool Relations::named(const TableInfo& info) const { return mappings_.names(info.schema, info.name); }

bool Relations::keeps(const Relation& relation) const {
  return left_out_.count(relation.oid) == 0 && mappings_.wants(relation.schema, relation.name) &&
         !has_namesake(relation);
}

void Relations::describe(const TableInfo& info) {
  const TableInfo* before = described(info.oid);
  const bool same = before != nullptr && signature(*before) == signature(info);
  described_[info.oid] = info;
  left_out_.erase(info.oid);
  const auto known = tables_.find(info.oid);
  if (known != tables_.end() && known->second->met) {  // the stream's own word counts
    if (!same) known->second->read_as = 0;
    known->second->differs = differs(*known->second->relation);
    return;
  }
  auto bound = bind(info);  // may throw: nothing has been entered yet
  auto& table = tables_[info.oid];
  table = std::make_unique<Table>();
  table->relation = std::move(bound.relation);
  table->writer = std::move(bound.writer);
  table->loading = loading_[info.oid];
}

void Relations::rebind() {
  for (auto& [oid, table] : tables_) {
    if (table->writer == nullptr && !table->differs && keeps(*table->relation)) {
      table->writer = mappings_.bind(*table->relation);
    }
  }
}

Relations::Bound Relations::bind(const TableInfo& info) {
  Bound bound;
  auto relation = relation_of(info, types_);
  bound.writer = mappings_.bind(*relation);
  bound.relation = std::move(relation);
  return bound;
}

std::unique_ptr<Relation> Relations::complete(const replication::pgoutput::RelationMessage& message) const {
  auto relation = replication::make_relation(message, encoding_);
  const auto described = described_.find(relation->oid);
  if (described != described_.end()) relation->candidates = described->second.candidates;
  for (auto& column : relation->columns) {
    column.type = types_.find(column.type_oid);
    if (described == described_.end()) continue;
    for (const auto& known : described->second.columns) {
      if (known.name == column.name) column.primary = known.primary;
    }
  }
  return relation;
}

Table* Relations::find_written(std::string_view schema, std::string_view name) {
  for (const auto& [oid, table] : tables_) {
    if (table->writer != nullptr && table->relation->schema == schema && table->relation->name == name)
      return table.get();
  }
  return nullptr;
}

const TableInfo* Relations::described(Oid oid) const {
  const auto found = described_.find(oid);
  return found == described_.end() ? nullptr : &found->second;
}

bool Relations::has_namesake(const Relation& relation) const {
  return std::any_of(described_.begin(), described_.end(), [&relation](const auto& other) {
    const TableInfo& info = other.second;
    return info.oid != relation.oid && info.schema == relation.schema && info.name == relation.name;
  });
}

bool Relations::differs(const Relation& relation) const {
  const TableInfo* info = described(relation.oid);
  if (info == nullptr) return false;
  const auto columns = streamed_columns(*info);
  return !std::equal(columns.begin(), columns.end(), relation.columns.begin(), relation.columns.end(),
                     [](const auto& a, const auto& b) { return a.name == b.name && a.type_oid == b.type_oid; });
}

void Relations::retire_namesakes(const TableInfo& info) {
  for (auto& [oid, table] : tables_) {
    if (oid == info.oid || table->relation == nullptr) continue;
    if (table->relation->schema == info.schema && table->relation->name == info.name) table->writer = nullptr;
  }
}

bool Relations::meet(const replication::pgoutput::RelationMessage& message, bool asked) {
  auto relation = complete(message);
  const bool wanted = mappings_.wants(relation->schema, relation->name);
  if (wanted && !asked) {
    if (described_.find(relation->oid) == described_.end()) return false;
    for (const auto& column : relation->columns) {
      if (column.type == nullptr) return false;
    }
  }
  auto& table = tables_[relation->oid];
  if (table == nullptr) {
    table = std::make_unique<Table>();
    table->loading = loading_[relation->oid];
  }
  table->met = true;
  table->read_as = 0;
  table->differs = differs(*relation);
  table->inexact = std::any_of(relation->columns.begin(), relation->columns.end(), [](const auto& column) {
    return column.type == nullptr || !replication::binary_is_exact(*column.type);
  });
  if (table->relation != nullptr && same_shape(*table->relation, *relation)) return true;
  if (on_replaced) on_replaced(relation->oid);
  table->writer = keeps(*relation) ? mappings_.bind(*relation) : nullptr;
  table->relation = std::move(relation);
  return true;
}

Table* Relations::find(Oid oid) {
  const auto found = tables_.find(oid);
  return found == tables_.end() ? nullptr : found->second.get();
}

void Relations::set_loading(Oid oid, bool loading) {
  loading_[oid] = loading;
  if (Table* table = find(oid)) table->loading = loading;
}

void Relations::was_read(const TableInfo& as) {
  Table* table = find(as.oid);
  const TableInfo* now = described(as.oid);
  if (table != nullptr && now != nullptr && signature(*now) == signature(as)) table->read_as = next_version();
}

std::uint64_t Relations::settled_version(Oid oid) const {
  const auto found = tables_.find(oid);
  if (found == tables_.end() || found->second->writer == nullptr) return 0;
  const Table& table = *found->second;
  if (!table.differs) return table.relation->version;
  return described(oid) == nullptr ? 0 : table.read_as;
}

std::optional<Relations::Shape> Relations::settled(Oid oid) const {
  const std::uint64_t version = settled_version(oid);
  if (version == 0) return std::nullopt;
  const Table& table = *tables_.at(oid);
  return Shape{table.differs ? *relation_of(*described(oid), types_) : *table.relation, version};
}

}  // namespace walrelay::sidecar
