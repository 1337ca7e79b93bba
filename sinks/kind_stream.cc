// stream: a change is an entry of a Redis stream, once, whatever crashes (stream_script.h).
//
//   columns         the row's columns as fields, NULL and what is not known left out; of a deleted row its old ones
//   event: change   op table lsn xid time before after: before and after as JSON, where they are known
//
// An entry is never taken away: a TRUNCATE leaves the stream as it is, and is an entry itself where the form has an op.
// There is no trimming by age (MINID): ids are positions in the server's log, which say nothing of time.
#include <chrono>
#include <cstdio>

#include "sinks/columns.h"
#include "sinks/event_write.h"
#include "sinks/json_row.h"
#include "sinks/stream_script.h"

namespace walrelay::sinks {

Kind stream_kind();

namespace {

using replication::Change;
using replication::Operation;
using replication::Row;
using replication::Transaction;

const char* name_of(Operation operation) {
  switch (operation) {
    case Operation::insert:
      return "insert";
    case Operation::update:
      return "update";
    case Operation::remove:
      break;
  }
  return "delete";
}

// "2026-02-05T10:00:00.500000Z"
std::string iso_time(std::int64_t microseconds) {
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(microseconds)};
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

class StreamWrite : public EventWrite {
 public:
  explicit StreamWrite(const BindContext& context)
      : EventWrite(context),
        key_(context, "key"),
        state_prefix_(context.state + "stream:"),
        ordinal_(context.ordinal),
        ordinals_(context.ordinals) {
    const Parameter* most = context.find("maxlen");
    if (most != nullptr) most_ = std::to_string(most->number);
    check_told_columns(context, told(), "the key uses", context.reads(key_.text()));
    check_told_columns(context, told(), "the condition reads", with_condition(context, {}, when()));
  }

 protected:
  bool make(const Change& change, Row before, Row now) final {
    const Row row = now.empty() ? before : now;
    if (!wanted(row)) return false;
    begin(change);
    key_.render(row, key_text_);
    make_fields(change, before, now);
    return true;
  }

  virtual void make_fields(const Change& change, Row before, Row now) = 0;

  void begin(const Change& change) {
    key_text_.clear();
    used_ = 0;
    transaction_ = change.transaction == nullptr ? Transaction{} : *change.transaction;
    number_of_entry_ = change.number * ordinals_ + ordinal_;  // its own number where a table has one write to streams
  }

  // The memory of an earlier entry's field, empty.
  std::string& next_field() {
    if (used_ == fields_.size()) fields_.emplace_back();
    std::string& field = fields_[used_++];
    field.clear();
    return field;
  }
  void add(std::string_view name, std::string_view value) {
    next_field() = name;
    next_field() = value;
  }
  [[nodiscard]] bool has_fields() const { return used_ != 0; }
  [[nodiscard]] const Transaction& transaction() const { return transaction_; }
  [[nodiscard]] const EventText& key() const { return key_; }
  [[nodiscard]] std::string& key_text() { return key_text_; }

  void say(Batch& batch) final {
    state_.assign(state_prefix_).append(key_text_);
    batch.open_script(number(), key_text_, {}, Effect::ordered);
    batch.command(9 + used_);
    stream_script().begin(batch);
    batch.argument(key_text_);
    batch.member(state_);
    batch.argument(transaction_.origin);
    batch.argument(std::to_string(value(transaction_.commit)));
    batch.argument(std::to_string(number_of_entry_));
    batch.argument(most_);
    for (std::size_t i = 0; i < used_; ++i) batch.argument(fields_[i]);
    batch.close();
  }

 private:
  const EventText key_;
  const std::string state_prefix_;
  const std::uint32_t ordinal_, ordinals_;
  std::string most_;  // MAXLEN; empty: none
  Transaction transaction_;
  std::uint64_t number_of_entry_ = 0;
  std::string key_text_, state_;
  std::vector<std::string> fields_;  // name, value, name, value ...
  std::size_t used_ = 0;
};

class ColumnsEntry final : public StreamWrite {
 public:
  explicit ColumnsEntry(const BindContext& context) : StreamWrite(context), columns_(choose_columns(context)) {}

 protected:
  void make_fields(const Change&, Row before, Row now) override {
    const Row row = now.empty() ? before : now;
    for (const ChosenColumn& chosen : columns_) {
      if (row[chosen.column].has_text()) add(chosen.field, row[chosen.column].text);
    }
    if (!has_fields()) add(columns_.front().field, "");  // an entry has at least one field
  }

 private:
  const std::vector<ChosenColumn> columns_;
};

class ChangeEntry final : public StreamWrite {
 public:
  explicit ChangeEntry(const BindContext& context)
      : StreamWrite(context), table_(context.relation.qualified()), json_(context) {}

 protected:
  void make_fields(const Change& change, Row before, Row now) override {
    describe(name_of(change.operation));
    if (!before.empty()) add_json("before", before, Expressions::Side::before);
    if (!now.empty()) add_json("after", now, Expressions::Side::now);
  }

  // Where the key is made of columns nobody can say which streams the rows have been told in.
  void say_truncate(const Change& change, Batch& batch) override {
    if (!key().text().parts().empty()) return;
    begin(change);
    key_text() = key().text().tail();
    describe("truncate");
    say(batch);
  }

 private:
  void describe(std::string_view operation) {
    add("op", operation);
    add("table", table_);
    add("lsn", to_string(transaction().commit));
    add("xid", std::to_string(transaction().xid));
    add("time", iso_time(transaction().commit_time_us));
  }
  void add_json(std::string_view name, Row row, Expressions::Side side) {
    next_field() = name;
    json_.append_known(row, side, next_field());
  }

  const std::string table_;
  JsonRow json_;
};

std::string mistake(const WriteSpec& write) {
  const auto most = write.parameters.find("maxlen");
  if (most == write.parameters.end() || most->second.number > 0) return "";
  return "maxlen: a stream that keeps no entry is of no use; give a number above 0, or leave it out";
}

std::unique_ptr<Write> bind(const BindContext& context) {
  if (context.find("event") != nullptr) return std::make_unique<ChangeEntry>(context);
  return std::make_unique<ColumnsEntry>(context);
}

}  // namespace

Kind stream_kind() {
  using Shape = ParameterShape;
  stream_script();
  return {{"stream",
           "Each change is an entry of a stream, exactly once; the entry's id is its position in the server's log.",
           {{"key", Shape::template_, true, {}, "The stream's key, as in \"audit:{namespace}\"."},
            {"columns", Shape::columns, false, {}, "Which columns are fields, NULL left out; all by default."},
            {"event",
             Shape::choice,
             false,
             {"change"},
             "Instead: op, table, lsn, xid and time, and the row before and after as JSON of these columns."},
            {"maxlen", Shape::number, false, {}, "About how many entries are kept; all by default."},
            {"when", Shape::expression, false, {}, "Only changes of rows for which it is true are told."},
            told_changes_parameter(true)}},
          false,
          mistake,
          bind};
}

}  // namespace walrelay::sinks
