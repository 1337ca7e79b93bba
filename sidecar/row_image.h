// A row as a note of it shows it (sinks/dead_letter.h), and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/relation.h"
#include "sinks/dead_letter.h"
#include "sinks/mapping.h"

namespace walrelay::sidecar {

// `operation`: insert, update, delete or read. Leaves out columns that the writer does not show, what the server did
// not send, and values beyond 1 MiB. There is no note where the row's identity is made of columns that are not shown.
sinks::RowImage row_image(const sinks::RelationWriter& writer, const replication::Relation& relation,
                          const char* operation, replication::Row row);

// The row of an image, for a relation that may have changed meanwhile: what is not known is `absent`. Owns its texts.
class ImageRow {
 public:
  // Throws std::runtime_error: that is no image of a row.
  ImageRow(const std::string& json, const replication::Relation& relation);
  [[nodiscard]] replication::Row row() const { return values_; }

 private:
  std::vector<std::string> texts_;  // by column
  std::vector<replication::Value> values_;
};

}  // namespace walrelay::sidecar
