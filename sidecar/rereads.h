// Rows that must be read again, because an UPDATE left out a TOASTed column that Redis needs. Pure.
//
//   UPDATE without column c ──> Reread { image: every column but c }     noted in Redis with the same transaction
//   later UPDATEs of the row ─> the image takes what they bring
//   a chunk that was opened after the note has the row ─> what is still missing in the image is taken from it
//
// That is exact, also for a row that changes all the time: a column still missing was named "unchanged" by every
// change since the note, so its value at the chunk's snapshot is its value now (once the stream has passed the
// chunk's position). Rows are noted in Redis (reread_key) until they are written, so a crash loses none.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replication/change.h"
#include "replication/relation.h"

namespace walrelay::sidecar {

// A row's identity, by name, for a WHERE clause. A value that is not there is NULL (no primary key, FULL identity).
using RowKey = std::vector<std::pair<std::string, std::optional<std::string>>>;
RowKey row_key(const replication::Relation& relation, replication::Row row);
// The same from what RelationWriter::append_identity() made of these columns.
RowKey row_of_identity(const replication::Relation& relation, const std::vector<std::size_t>& columns,
                       std::string_view identity);

// What a key says of its row; the rest is `absent`. Borrowed from the key.
std::vector<replication::Value> values_of(const RowKey& key, const replication::Relation& relation);

// The note in Redis: table and key, readable again by another process. Nothing for a text that is none.
std::string to_note(std::string_view schema, std::string_view table, const RowKey& key);
struct Note {
  std::string schema, table;
  RowKey key;
};
std::optional<Note> parse_note(std::string_view text);

// SQL that finds these rows: (a, b) IN ((...), (...)), or an OR of equalities where a NULL is among the values.
std::string where_clause(const std::vector<const RowKey*>& keys);

class Reread {
 public:
  Reread(replication::Oid oid, RowKey row, std::string note_text, std::uint64_t chunk)
      : table(oid), key(std::move(row)), note(std::move(note_text)), first_chunk(chunk) {}

  replication::Oid table;
  RowKey key;
  std::string note;
  std::uint64_t first_chunk;  // chunks opened earlier do not know the change that made the note
  bool reading = false;       // a chunk that asks for it is under way
  bool holds = false;         // the last owner had shown the row as it is after the note: see Rereads::on_held

  void merge(replication::Row row);       // a change streamed after those merged before
  void forget(std::uint64_t next_chunk);  // the relation changed its shape: start from nothing
  void fill(replication::Row row);        // from the table: only what is missing
  void replace(replication::Row row);     // from the table, where no change merged here is newer than what was read
  [[nodiscard]] bool complete() const;
  [[nodiscard]] std::vector<replication::Value> values() const;  // borrowed from the image

 private:
  struct Cell {
    replication::ValueState state = replication::ValueState::unchanged;  // unchanged: missing
    std::string text;
  };
  std::vector<Cell> image_;
};

class Rereads {
 public:
  // Told when the first row is noted that holds the sink's first batch back, and when none is left. When the stream
  // repeats what the last owner has shown already, an older state of such a row may stand in the batch; it must not be
  // seen before the row itself has been read.
  std::function<void(bool held)> on_held;

  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] bool any_unread() const;  // a row that no chunk under way asks for
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] Reread* find(replication::Oid table, std::string_view identity);
  Reread& add(replication::Oid table, std::string_view identity, RowKey key, std::string note,
              std::uint64_t next_chunk);
  void hold(Reread& reread);
  void erase(replication::Oid table, std::string_view identity);
  void forget_table(replication::Oid table, std::uint64_t next_chunk);  // a new shape of the relation
  std::vector<std::string> drop_table(replication::Oid table);          // truncated: gives the notes
  // The table is about to be read: the same, but rows that hold stay, to be read by chunks opened from now on.
  std::vector<std::string> supersede_table(replication::Oid table, std::uint64_t next_chunk);

  // Up to `most` rows of one table that nobody reads yet, marked as being read; with the identity of each.
  std::vector<std::pair<std::string, Reread*>> take(std::size_t most, replication::Oid& table);

 private:
  using Rows = std::map<std::string, Reread>;
  static std::string name(replication::Oid table, std::string_view identity);
  Rows::iterator remove(Rows::iterator row);
  Rows rows_;
  std::size_t holding_ = 0;
};

}  // namespace walrelay::sidecar
