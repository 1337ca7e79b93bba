// The hot path: one message of the stream, from bytes to Redis commands. Plain calls, no coroutine, no queue.
//
//   Stream ─> on_data ─> Decoder ─> Relation ─> Relations (bind; may need the catalogue: the stream waits)
//                              ├──> Begin    ─> skip what the checkpoint has; remember the xid
//                              ├──> I/U/D    ─> RowText ─> Rereads? ─> RelationWriter ─> sink.batch()
//                              ├──> Truncate ─> sink.remove_owned (the stream waits)
//                              ├──> Message  ─> what it asks for, where it is for us
//                              └──> Commit   ─> sink.commit
//
// It owns nothing that outlives a session. Its position (`processed`) is what chunks wait for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "replication/encoding.h"
#include "replication/pgoutput.h"
#include "replication/row_text.h"
#include "replication/stream.h"
#include "sidecar/documents.h"
#include "sidecar/overtaken.h"
#include "sidecar/relations.h"
#include "sidecar/rereads.h"
#include "sidecar/row_image.h"
#include "sidecar/server_clock.h"
#include "sinks/sink.h"

namespace walrelay::sidecar {

struct PipelineCounters {
  std::uint64_t transactions = 0, skipped_transactions = 0, changes = 0, rereads = 0;
  std::uint64_t skipped_rows = 0;                    // that cannot be written, by on_poison: skip
  std::uint64_t messages = 0, refused_messages = 0;  // that were for us
  std::uint64_t filtered = 0;                        // changes that made no command
};

struct PipelineOptions {
  std::string reread_key;  // where rows to be read again are noted in Redis
  std::string again_key;   // likewise what messages ask to remove
  std::string origin;      // of which history the positions are (Transaction)
  bool binary = false;     // the stream was asked for in binary
  bool note_all = false;   // a row that cannot be written never ends the session, whatever its mapping says
  replication::Position verified, sent;
  const replication::Encoding* encoding = nullptr;  // null: text is UTF-8 already
};

// The row that is being written.
struct RowOf {
  const replication::Relation& relation;
  const char* operation;  // as in RowImage
  replication::Row row;
};

class Pipeline : public replication::StreamHandler {
 public:
  Pipeline(PipelineOptions options, Relations& relations, Overtaken& overtaken, Rereads& rereads, sinks::Sink& sink,
           ServerClock& clock);

  void mark(Documents& documents) { documents_ = &documents; }  // told what changes; it outlives the pipeline

  // The catalogue must describe this table and these types; then catalogue_ready() lets the stream go on.
  std::function<void(replication::Oid table, std::vector<replication::Oid> types)> on_catalogue_needed;
  void catalogue_ready();

  // A row of other columns than the catalogue's is about to be applied; once, then the table is loading.
  std::function<void(replication::Oid table)> on_shape;
  std::function<void()> on_processed;                          // processed() moved
  std::function<void()> on_reread;                             // a row was noted
  std::function<void()> on_resume;                             // the stream may be resumed (asked by catalogue_ready)
  std::function<void(std::exception_ptr)> on_finished;         // the stream is over
  std::function<void(const std::string&)> on_refused_message;  // a sentence without its content

  // Everything that committed up to here has been given to the sink.
  [[nodiscard]] replication::Lsn processed() const { return processed_; }
  [[nodiscard]] bool blocked() const { return blocked_; }
  [[nodiscard]] bool in_transaction() const { return in_transaction_; }
  [[nodiscard]] const replication::Transaction& transaction() const { return transaction_; }
  [[nodiscard]] replication::Lsn last_commit() const { return last_commit_; }  // the last one the sink was given
  [[nodiscard]] replication::Lsn committed() const { return committed_; }      // the last commit or keepalive
  // Takes no transaction after the one that is open: the program is about to end.
  void halt() { halted_ = true; }
  [[nodiscard]] const PipelineCounters& counters() const { return counters_; }

  // Whatever writes a row, from the stream or from a chunk, does it by this: so that what mappings cannot write of it
  // is noted as they say, and what Redis refuses can be. Throws sinks::RowError where one of them is to stop for it.
  template <class Writing>
  void write(const sinks::RelationWriter& writer, const RowOf& of, const Writing& writing) {
    if (asks_for_rows_) [[unlikely]]
      sink_.of_row(row_image(writer, of.relation, of.operation, of.row));
    try {
      writing();
      note_refusals(writer, of);
    } catch (const sinks::RowError& error) {
      if (!options_.note_all) throw;
      sink_.dead_letter({row_image(writer, of.relation, of.operation, of.row), "", "", error.what()});
    }
    if (asks_for_rows_) [[unlikely]]
      sink_.of_row({});
  }
  // A document that cannot be read; likewise.
  void refuse(sinks::OnPoison policy, sinks::DeadLetter letter);
  // What stands in Redis for the row is not what the table says: it is read again by its key, and written.
  void mend(Table& table, std::string_view identity, RowKey key);
  // A dead letter is dealt with: its row is read again and written, or, where it was about a row that is gone, what
  // that one had is removed first. `forget`: the command that removes the letter, in the same batch.
  void replay(Table& table, std::string_view identity, RowKey key, replication::Row gone,
              const std::vector<std::string>& forget);
  // The note of a row that stands in Redis now, or is gone.
  void erase_note(const std::string& note);

  bool on_data(std::string_view message, replication::Lsn start, replication::Lsn server_end,
               std::int64_t server_time_us) override;
  bool on_keepalive(replication::Lsn server_end, std::int64_t server_time_us) override;
  void on_drained() override;
  void on_end(std::exception_ptr error) override;

 private:
  void take(const replication::pgoutput::Begin& begin);
  void take(const replication::pgoutput::Commit& commit);
  void take(const replication::pgoutput::Origin&) {}
  void take(const replication::pgoutput::Type&) {}
  void take(const replication::pgoutput::LogicalMessage& message);
  void take(const replication::pgoutput::RelationMessage& message);
  void take(const replication::pgoutput::Insert& insert);
  void take(const replication::pgoutput::Update& update);
  void take(const replication::pgoutput::Delete& removal);
  void take(const replication::pgoutput::Truncate& truncate);

  Table& table_of(replication::Oid oid);
  [[nodiscard]] bool counted_change();  // false: the checkpoint has it already
  void change(Table& table, replication::Change& change);
  void place(replication::Change& change) const;
  void tell_truncate(const replication::pgoutput::Truncate& truncate, std::uint64_t first);
  void note_refusals(const sinks::RelationWriter& writer, const RowOf& of) {
    if (!writer.refusals().empty()) [[unlikely]]
      note(writer, of);
  }
  void note(const sinks::RelationWriter& writer, const RowOf& of);
  [[nodiscard]] bool is_new(const replication::pgoutput::LogicalMessage& message);
  bool carry_out(const replication::pgoutput::LogicalMessage& message);
  void apply(Table& table, const replication::Change& change);
  void touch(Table& table, replication::Row row);
  bool merge_reread(Table& table, const replication::Change& change);
  void note_reread(Table& table, replication::Row row);
  Reread& note(Table& table, std::string_view identity, RowKey key);
  void write_whole(Table& table, const Reread& reread);
  [[nodiscard]] replication::Position here() const;
  [[nodiscard]] bool repeats() const { return here() <= options_.sent; }  // what the last owner may have shown

  PipelineOptions options_;
  Relations& relations_;
  Overtaken& overtaken_;
  Rereads& rereads_;
  sinks::Sink& sink_;
  ServerClock& clock_;
  Documents* documents_ = nullptr;
  replication::pgoutput::Decoder decoder_;
  replication::RowText new_text_, old_text_;
  replication::Transaction transaction_;
  const bool asks_for_rows_;
  bool in_transaction_ = false, skipping_ = false, wrote_ = false, blocked_ = false, halted_ = false;
  std::uint64_t changes_ = 0;       // row messages of this transaction so far
  std::uint64_t skip_changes_ = 0;  // of them, in the checkpoint already
  std::uint64_t number_ = 0;        // of changes: a TRUNCATE is one of each table
  replication::Lsn committed_ = replication::Lsn::invalid;
  replication::Lsn processed_ = replication::Lsn::invalid;
  replication::Lsn last_commit_ = replication::Lsn::invalid;
  [[nodiscard]] bool wants_more() const { return !blocked_ && !(halted_ && !in_transaction_) && !sink_.full(); }
  std::string identity_, content_;  // scratch
  std::string waiting_message_;     // the Relation message that the catalogue is asked for
  PipelineCounters counters_;
};

}  // namespace walrelay::sidecar
