// How one table is cut into chunks, what of it is done, and how that is remembered. Pure.
//
//   leaf 1 [0,128) [128,256) ... [last,end)   leaf 2 ...      ranges of pages, the last one open-ended
//           done    reading        waiting
//
// The cursor kept in Redis, field "schema.table" of load_key:
//   "done;<signature>;<oid>"                                     every row was read with these columns
//   "at;<signature>;<oid>;<leaf oid>;<leaf file>;<page>"         everything before this page of this leaf was read
// A cursor of another signature, table or file is worthless, because rows have moved or changed: start again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "replication/connection.h"
#include "replication/publication.h"
#include "sidecar/relations.h"

namespace walrelay::sidecar {

struct LoadLeaf {
  std::string schema, name;
  std::string oid, file;  // as the server prints them
  std::uint64_t pages = 0;
};

struct LoadRange {
  std::uint64_t sequence = 0;  // in order of reading
  std::size_t leaf = 0;
  std::uint64_t from = 0, to = 0;
  bool last = false;  // of its leaf: no upper bound, the table may have grown
  [[nodiscard]] std::string where() const;
};

class TableLoad {
 public:
  TableLoad(replication::TableInfo table, Relations::Bound bound_to, std::string cursor_text,
            std::uint64_t pages_a_range)
      : info(std::move(table)), bound(std::move(bound_to)), resume_at(std::move(cursor_text)), step_(pages_a_range) {}

  replication::TableInfo info;
  Relations::Bound bound;
  std::string resume_at;
  std::uint64_t rows = 0;
  std::uint64_t equal = 0;  // of these: stood in Redis as they are, and were not written
  std::size_t readers = 0;  // workers that hold a pointer to this
  bool abandoned = false;   // replaced by a new load of the same table: goes when its last reader has gone
  bool fresh = false;       // nothing can stand where its rows are written
  bool compares = false;    // its rows may stand in Redis already: they are compared before they are written
  bool planning = false;

  void plan(std::vector<LoadLeaf> leaves);  // and takes up the cursor
  [[nodiscard]] bool planned() const { return planned_; }
  [[nodiscard]] const LoadLeaf& leaf(std::size_t number) const { return leaves_[number]; }
  std::optional<LoadRange> take();         // the next range to read
  void give_back(const LoadRange& range);  // it was not read
  void finished(const LoadRange& range);
  [[nodiscard]] bool has_work() const;  // take() would give one, or plan() is due
  [[nodiscard]] bool done() const;
  [[nodiscard]] std::string cursor() const;  // of what is done without a hole
  [[nodiscard]] std::string done_cursor() const;
  void restart();  // the table was rewritten: plan again

 private:
  std::vector<LoadLeaf> leaves_;
  bool planned_ = false;
  std::uint64_t step_;
  std::size_t leaf_ = 0;
  std::uint64_t page_ = 0;
  std::uint64_t sequence_ = 0;
  std::map<std::uint64_t, LoadRange> outstanding_;  // taken, not finished, by sequence
  std::vector<LoadRange> returned_;
};

// Whether this cursor says that the table, as described now, has been read completely.
bool is_loaded(const std::string& cursor, const replication::TableInfo& info);

// Says that nothing of the table, as described now, has been read for good.
std::string unread_cursor(const replication::TableInfo& info);

// A cursor of the same table that says so.
std::string unread_again(const std::string& cursor);

// Of which table this is: another one may have taken its name since.
replication::Oid owner_of_cursor(const std::string& cursor);

// SQL for the leaves of a table, and what it gave.
std::string leaves_sql(const replication::TableInfo& info);
std::vector<LoadLeaf> leaves_in(const replication::Result& found);

}  // namespace walrelay::sidecar
