// A row that could not be written, as the dead-letter stream keeps it: enough to see what is wrong, and to try again.
//
//   table      public.b
//   operation  insert, update, delete, or read (from the table)
//   row        {"id":"1","j":"{broken"}          text as PostgreSQL prints it, or null; not what a mapping excludes
//   note       ["public","b",[["id","1"]]]       which row it is: what `walrelay dlq replay` reads again
//   write      mapping b, table public.b, zset   where that is known
//   key        b                                 likewise
//   error      why, without a value of the row
//   position   of the stream
//
// The entry goes into the batch whose checkpoint declares the row's own batch verified. EXEC carries both or neither,
// so a replay of the stream either repeats the row (and its letter was never written) or skips it (and the letter is
// there): the entry needs no id of its own to be written once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace walrelay::sinks {

// What is known of a row before anybody tries to write it.
struct RowImage {
  std::string table, operation, row, note;
  [[nodiscard]] std::size_t bytes() const { return table.size() + operation.size() + row.size() + note.size(); }
};

struct DeadLetter {
  RowImage image;
  std::string write, key, error;
  [[nodiscard]] std::size_t bytes() const { return image.bytes() + write.size() + key.size() + error.size(); }

  // Those that are not empty, in the order of the picture; borrowed from the letter.
  [[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> fields() const {
    std::vector<std::pair<std::string_view, std::string_view>> all;
    const std::pair<std::string_view, std::string_view> known[] = {
        {"table", image.table}, {"operation", image.operation},
        {"row", image.row},     {"note", image.note},
        {"write", write},       {"key", key},
        {"error", error}};
    for (const auto& field : known) {
      if (!field.second.empty()) all.push_back(field);
    }
    return all;
  }
};

}  // namespace walrelay::sinks
