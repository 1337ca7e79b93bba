// Documents: values that the user's own SQL makes of several tables. What is said of them, and what a row's change says
// about them. Pure; who reads them is sidecar/documents.h.
//
//   root table    order 7                       its own key columns are the document's id        path: own
//   order_lines   line (7, 2): order_id         a column holds the id                            path: column
//   products      product 4: SELECT order_id FROM order_lines WHERE product_id = ANY ($1)        path: lookup
//
// A document's id is the values of its key's columns, in the order in which the key names them: $1, $2 ... of its
// query.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replication/relation.h"
#include "sinks/batch.h"
#include "sinks/expectation.h"
#include "sinks/mapping.h"

namespace walrelay::sinks {

// A further table whose changes make documents dirty: the columns that hold an id, or the SQL that finds the ids.
struct DocumentSource {
  std::string schema, table;
  std::vector<std::string> columns;
  std::string lookup;
  [[nodiscard]] std::string qualified() const { return schema + "." + table; }
};

struct DocumentSpec {
  std::string name;           // "orders"; unique, as it names keys of walrelay's own
  std::string mapping, site;  // the mapping's name; "mapping orders, document at walrelay.yaml:12:9"
  std::size_t write = 0;      // which of the mapping's
  OnPoison on_poison = OnPoison::stop;
  std::string schema, table;  // the root
  std::vector<std::string> id;
  std::string query;
  std::size_t most = 0;  // dirty ones that are remembered one by one
  std::vector<DocumentSource> sources;
  [[nodiscard]] std::string root() const { return schema + "." + table; }
};

// How a change of a row of one relation names documents.
struct DocumentPath {
  std::size_t document = 0;           // of MappingSet::documents()
  std::optional<std::size_t> source;  // of its sources; nothing: the root itself
  bool lookup = false;                // the columns are what is asked for, and not an id
  std::vector<std::size_t> columns;   // of the relation
};

// The part of a document that stands in Redis: its key, and what is written under it.
class DocumentValue {
 public:
  virtual ~DocumentValue() = default;
  // `id` has the text of each of its columns. No value: the key goes.
  virtual void write(const std::vector<std::string>& id, std::optional<std::string_view> value, Batch& batch) = 0;
  virtual void expect(const std::vector<std::string>& id, std::optional<std::string_view> value,
                      std::vector<Expectation>& out) = 0;
  [[nodiscard]] virtual std::string key(const std::vector<std::string>& id) = 0;
};

// What a write of that kind says; its mistakes, one clause each, go to `mistakes`.
DocumentSpec document_spec(const MappingSpec& mapping, std::size_t write, std::vector<std::string>& mistakes);

// "orders" is public.orders.
std::pair<std::string, std::string> schema_and_table(std::string_view name);

// How changes of the relation's rows name documents of this one. Throws MappingError where a change does not say it.
std::vector<DocumentPath> document_paths(const DocumentSpec& document, std::size_t number,
                                         const replication::Relation& relation);

}  // namespace walrelay::sinks
