// Prints what would be written, for `run --dry-run` and `explain`: each row's commands, quoted as redis-cli takes them.
//
//   HSET user:1 name "Ada \"L\"" city ""
//   # commit 16/B374D848
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "event/loop.h"
#include "sinks/sink.h"

namespace walrelay::sinks {

// One RESP command per line; bytes that are not printable become \xNN, and a script's name is cut short. Throws
// std::runtime_error for other bytes.
std::string to_readable(std::string_view commands);

// The same, each line a JSON array of the command's words; one that is no UTF-8 appears as to_readable() has it.
std::string to_json_lines(std::string_view commands);

class StdoutSink : public Sink {
 public:
  using Writer = std::function<void(std::string_view lines)>;  // of one row, or a remark that begins with "#"
  enum class Form : std::uint8_t { text, json };               // json: no remarks
  StdoutSink(event::Loop& loop, Writer writer, SinkEvents& events, Form form = Form::text);

  Batch& batch() override { return batch_; }
  void row(const replication::Position& position) override;
  void loaded(std::size_t rows) override;
  void commit(replication::Lsn end, std::int64_t commit_time_us) override;
  void advance(replication::Lsn position) override;
  void remove_owned(std::vector<OwnedKeys> owned, std::vector<std::uint32_t> writes) override;
  [[nodiscard]] bool has_room() const override { return !full(); }
  [[nodiscard]] bool full() const override { return false; }
  [[nodiscard]] bool drained() const override { return !report_.scheduled(); }
  [[nodiscard]] std::uint64_t ticket() const override { return 0; }
  [[nodiscard]] bool has_shown(std::uint64_t) const override { return true; }
  void hold(bool) override {}
  [[nodiscard]] bool held() const override { return false; }
  [[nodiscard]] bool hurried() const override { return false; }
  void flush() override {}
  void dead_letter(DeadLetter letter) override;

 private:
  void print();
  void remark(const std::string& text);
  void report();

  Writer writer_;
  SinkEvents& events_;
  const Form form_;
  Batch batch_;
  replication::Position printed_, reported_;
  std::int64_t commit_time_us_ = 0;
  bool committed_ = false;
  event::Deferred report_;  // events never come from inside a call of the owner
};

}  // namespace walrelay::sinks
