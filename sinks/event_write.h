// The common part of the kinds that say something of a change and keep no rows: stream, publish, invalidate.
//
//   a change of the stream    hear() -> make(), then tell() -> say(), once: at the change, with what it carries
//   a row read from a table   nothing: it is no change
//
// A row that an UPDATE left incomplete (an unchanged TOASTed column) is told at once: what is not known is left out,
// and when the row was read again nothing is said. A transaction that comes again after a crash is told again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sinks/write.h"

namespace walrelay::sinks {

// The parameter `on`: which changes are told.
struct ToldChanges {
  bool insert = true, update = true, remove = true, truncate = true;

  explicit ToldChanges(const BindContext& context);
  [[nodiscard]] bool has(replication::Operation operation) const;
};
// Of a kind that has it; its choices are all of these, the last one only where a TRUNCATE can be told.
ParameterDescription told_changes_parameter(bool truncate);

class EventWrite : public Write {
 public:
  explicit EventWrite(const BindContext& context);

  bool prepare(replication::Row, replication::Row, bool) final { return true; }
  void remove_old(Batch&) final {}
  void put(Batch&) final {}
  void replace(bool, Batch&) final {}
  void expect(std::vector<Expectation>& out) final;  // nothing can be said
  [[nodiscard]] OwnedKeys owned() const final;       // no key at all
  [[nodiscard]] std::vector<OwnedKeys> truncated() const final { return {}; }
  bool readings(std::string_view, std::size_t, std::vector<KeyReading>& out) const final;
  bool append_place(replication::Row, bool, std::string&) const final { return false; }
  [[nodiscard]] const std::vector<std::size_t>& place_columns() const final { return no_columns_; }
  [[nodiscard]] const std::vector<std::size_t>& reading_columns() const final { return no_columns_; }
  void remove_ghost(std::string_view, Batch&) const final {}
  [[nodiscard]] bool identifies_by(std::size_t) const final { return false; }

  [[nodiscard]] bool is_event() const final { return true; }
  void hear(const replication::Change& change, replication::Row before, replication::Row now) final;
  void tell(Batch& batch) final;
  void tell_truncate(const replication::Change& change, Batch& batch) final;

 protected:
  // Makes ready what is to be said; false: nothing. May throw RowError.
  virtual bool make(const replication::Change& change, replication::Row before, replication::Row now) = 0;
  virtual void say(Batch& batch) = 0;
  virtual void say_truncate(const replication::Change&, Batch&) {}

  // `when`. A condition that cannot be computed, because a column was not sent, is taken for true: to say too much is
  // better than to lose it.
  [[nodiscard]] bool wanted(replication::Row row) const { return when_.of(row) != Presence::no; }
  [[nodiscard]] const ToldChanges& told() const { return told_; }
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] const Condition& when() const { return when_; }

 private:
  const ToldChanges told_;
  const Condition when_;
  const std::uint32_t number_;
  const std::vector<std::size_t> no_columns_;
  bool ready_ = false;
};

// A channel or a key: where one of its columns has no text, the row cannot be told.
class EventText {
 public:
  EventText(const BindContext& context, const std::string& parameter);
  void render(replication::Row row, std::string& out) const;  // throws RowError; `out` may have been begun
  [[nodiscard]] const BoundTemplate& text() const { return text_; }

 private:
  const BoundTemplate text_;
  const std::string site_;
  std::vector<std::string> names_;  // of the parts' columns
};

// `what` ("the channel uses") reads these columns, which a DELETE must carry; where an `update` needs the old row, too,
// that one as well. Throws MappingError.
void check_told_columns(const BindContext& context, const ToldChanges& told, const std::string& what,
                        const std::vector<std::size_t>& reads, bool update = false);

}  // namespace walrelay::sinks
