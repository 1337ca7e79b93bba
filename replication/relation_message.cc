#include "replication/relation_message.h"

#include <atomic>

namespace walrelay::replication {
namespace {

std::string in_utf8(std::string_view name, const Encoding* encoding) {
  if (encoding == nullptr) return std::string(name);
  std::string converted;
  encoding->append_utf8(name, converted);
  return converted;
}

}  // namespace

std::unique_ptr<Relation> make_relation(const pgoutput::RelationMessage& message, const Encoding* encoding) {
  static std::atomic<std::uint64_t> last_version{0};
  auto relation = std::make_unique<Relation>();
  relation->oid = message.oid;
  relation->schema = message.schema.empty() ? "pg_catalog" : in_utf8(message.schema, encoding);
  relation->name = in_utf8(message.name, encoding);
  relation->identity = message.identity;
  relation->version = ++last_version;
  relation->columns.reserve(message.columns.size());
  for (const auto& column : message.columns) {
    RelationColumn added;
    added.name = in_utf8(column.name, encoding);
    added.type_oid = column.type;
    added.type_modifier = column.modifier;
    added.identity = column.identity;
    relation->columns.push_back(std::move(added));
  }
  return relation;
}

}  // namespace walrelay::replication
