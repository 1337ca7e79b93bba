// Types that are not built in, from the catalogue: domains, enums, composites, arrays, and what they are made of.
#include <map>
#include <set>
#include <utility>

#include "replication/publication.h"

namespace walrelay::replication {

namespace {

constexpr Oid kFirstOwnOid = 16384;  // below are the types that came with the server

// An array is the type that its element's type names as its array: int2vector looks alike, but prints otherwise.
std::string types_sql(const std::string& oids) {
  return "WITH RECURSIVE need(oid) AS (SELECT unnest(" + oids +
         ") UNION SELECT part.oid FROM need JOIN pg_type t ON t.oid = need.oid CROSS JOIN LATERAL ("
         "SELECT t.typbasetype WHERE t.typtype = 'd' UNION ALL SELECT t.typelem WHERE t.typelem <> 0 "
         "UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND "
         "a.attnum > 0 AND NOT a.attisdropped) part(oid)) "
         "SELECT t.oid, format_type(t.oid, NULL), t.typtype, t.typcategory, COALESCE(e.typarray = t.oid, false), "
         "t.typelem, COALESCE(e.typdelim, ','), t.typbasetype, t.typrelid FROM need JOIN pg_type t ON t.oid = need.oid "
         "LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typelem <> 0";
}

std::string fields_sql(const std::string& relations) {
  return "SELECT attrelid, attname, atttypid FROM pg_attribute WHERE attrelid = ANY ('{" + relations +
         "}'::oid[]) AND attnum > 0 AND NOT attisdropped ORDER BY attrelid, attnum";
}

Oid to_oid(const std::string& text) { return static_cast<Oid>(std::stoul(text)); }

struct CatalogueRow {
  std::string name;
  char kind = 'b', category = 'U';
  bool array = false;
  Oid element = 0;
  char delimiter = ',';
  Oid base = 0, relation = 0;
};

// Puts the rows into the catalog, parts before the whole.
class Builder {
 public:
  explicit Builder(TypeCatalog& catalog) : catalog_(catalog) {}

  void take_types(const Result& rows) {
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      rows_[to_oid(rows.text(row, 0))] = {.name = rows.text(row, 1),
                                          .kind = rows.text(row, 2)[0],
                                          .category = rows.text(row, 3)[0],
                                          .array = rows.text(row, 4) == "t",
                                          .element = to_oid(rows.text(row, 5)),
                                          .delimiter = rows.text(row, 6)[0],
                                          .base = to_oid(rows.text(row, 7)),
                                          .relation = to_oid(rows.text(row, 8))};
    }
  }

  [[nodiscard]] std::string composite_relations() const {
    std::string list;
    for (const auto& [oid, row] : rows_) {
      if (row.kind == 'c') list += (list.empty() ? "" : ",") + std::to_string(row.relation);
    }
    return list;
  }

  void take_fields(const Result& rows) {
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      fields_[to_oid(rows.text(row, 0))].emplace_back(rows.text(row, 1), to_oid(rows.text(row, 2)));
    }
  }

  void add_all() {
    for (const auto& [oid, row] : rows_) add(oid);
  }

 private:
  // The catalog's object for the type; a type that vanished meanwhile is one of unknown kind.
  const ColumnType* add(Oid oid) {
    const ColumnType* known = catalog_.find(oid);
    if (known != nullptr && (oid < kFirstOwnOid || done_.contains(oid))) return known;
    done_.insert(oid);
    ColumnType type{
        .oid = oid, .kind = TypeKind::other, .name = {}, .element = nullptr, .delimiter = ',', .fields = {}};
    if (const auto row = rows_.find(oid); row != rows_.end()) describe(row->second, type);
    return known != nullptr && same(*known, type) ? known : catalog_.add(std::move(type));
  }

  void describe(const CatalogueRow& row, ColumnType& type) {
    type.name = row.name;
    if (row.kind == 'd') {
      const ColumnType* base = add(row.base);
      const Oid own = type.oid;
      type = *base;
      type.oid = own;
    } else if (row.kind == 'e') {
      type.kind = TypeKind::enumeration;
    } else if (row.kind == 'c') {
      type.kind = TypeKind::composite;
      for (const auto& [name, field] : fields_[row.relation]) type.fields.push_back({.name = name, .type = add(field)});
    } else if (row.array) {
      type.kind = TypeKind::array;
      type.element = add(row.element);
      type.delimiter = row.delimiter;
    } else if (row.kind == 'b' && row.category == 'S') {
      type.kind = TypeKind::text;  // citext and its like
    }
  }

  static bool same(const ColumnType& a, const ColumnType& b) {
    if (a.kind != b.kind || a.name != b.name || a.element != b.element || a.delimiter != b.delimiter) return false;
    if (a.fields.size() != b.fields.size()) return false;
    for (std::size_t i = 0; i < a.fields.size(); ++i) {
      if (a.fields[i].name != b.fields[i].name || a.fields[i].type != b.fields[i].type) return false;
    }
    return true;
  }

  TypeCatalog& catalog_;
  std::map<Oid, CatalogueRow> rows_;
  std::map<Oid, std::vector<std::pair<std::string, Oid>>> fields_;
  std::set<Oid> done_;
};

}  // namespace

event::Task<> load_types(Connection& connection, std::vector<Oid> oids, TypeCatalog& catalog) {
  std::string list;
  for (const Oid oid : oids) {
    if (oid < kFirstOwnOid && catalog.find(oid) != nullptr) continue;
    list += (list.empty() ? "" : ",") + std::to_string(oid);
  }
  if (list.empty()) co_return;
  Builder builder(catalog);
  std::string what = "read the catalogue of types";
  auto asking = connection.query(types_sql("'{" + list + "}'::oid[]"), what);
  const Result types = co_await std::move(asking);
  builder.take_types(types);
  const std::string relations = builder.composite_relations();
  if (!relations.empty()) {
    auto asking_fields = connection.query(fields_sql(relations), what);
    const Result fields = co_await std::move(asking_fields);
    builder.take_fields(fields);
  }
  builder.add_all();
}

}  // namespace walrelay::replication
