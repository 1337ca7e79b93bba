#include "sidecar/pipeline.h"

#include "event/crash_point.h"
#include "replication/reader.h"
#include "sidecar/policy.h"

namespace walrelay::sidecar {

using replication::Change;
using replication::Lsn;
using replication::Operation;
using replication::Position;
using replication::Row;
namespace pgoutput = replication::pgoutput;

namespace {

RowOf row_of(const Change& change) {
  const Row row = change.new_row.empty() ? change.old_row : change.new_row;
  const char* const operation = change.operation == Operation::insert   ? "insert"
                                : change.operation == Operation::update ? "update"
                                                                        : "delete";
  return {*change.relation, operation, row};
}

}  // namespace

Pipeline::Pipeline(PipelineOptions options, Relations& relations, Overtaken& overtaken, Rereads& rereads,
                   sinks::Sink& sink, ServerClock& clock)
    : options_(std::move(options)),
      relations_(relations),
      overtaken_(overtaken),
      rereads_(rereads),
      sink_(sink),
      clock_(clock),
      asks_for_rows_(sink.asks_for_rows()),
      committed_(options_.verified.committed) {
  rereads_.on_held = [this](bool held) { sink_.hold(held); };
  relations_.on_replaced = [this](replication::Oid oid) { rereads_.forget_table(oid, overtaken_.next_chunk()); };
}

bool Pipeline::on_data(std::string_view message, Lsn, Lsn, std::int64_t server_time_us) {
  if (message.starts_with('B')) clock_.observe(server_time_us);  // reading our clock for each row would be felt
  std::visit([this](const auto& decoded) { take(decoded); }, decoder_.decode(message));
  if (blocked_) waiting_message_.assign(message);
  return wants_more();
}

bool Pipeline::on_keepalive(Lsn server_end, std::int64_t server_time_us) {
  clock_.observe(server_time_us);
  if (!in_transaction_ && server_end > processed_) {
    processed_ = server_end;
    if (server_end > committed_) {
      committed_ = server_end;
      sink_.advance(server_end);
    }
    if (on_processed) on_processed();
  }
  return wants_more();
}

void Pipeline::on_drained() {}

void Pipeline::on_end(std::exception_ptr error) {
  if (on_finished) on_finished(error);
}

void Pipeline::take(const pgoutput::Begin& begin) {
  event::crash_point();
  transaction_ = {begin.xid, begin.final_lsn, begin.commit_time_us, options_.origin};
  in_transaction_ = true;
  wrote_ = false;
  changes_ = number_ = 0;
  // A commit record that starts before the position has ended there or before.
  skipping_ = begin.final_lsn < options_.verified.committed;
  skip_changes_ = begin.final_lsn == options_.verified.open_commit ? options_.verified.changes : 0;
  overtaken_.begin(begin.xid, begin.commit_time_us);
}

void Pipeline::take(const pgoutput::Commit& commit) {
  event::crash_point();
  in_transaction_ = false;
  if (skipping_) {
    ++counters_.skipped_transactions;
  } else {
    ++counters_.transactions;
    committed_ = commit.end;
    // Without a command of ours the position alone moves on. Up to `sent` every commit counts: the first batch must
    // reach it.
    if (wrote_ || Position{commit.end, Lsn::invalid, 0} <= options_.sent || skip_changes_ > 0) {
      last_commit_ = commit.end;
      sink_.commit(commit.end, commit.commit_time_us);
    } else {
      sink_.advance(commit.end);
    }
  }
  processed_ = std::max(processed_, commit.end);
  if (on_processed) on_processed();
}

void Pipeline::take(const pgoutput::RelationMessage& message) {
  if (relations_.meet(message, false)) return;
  std::vector<replication::Oid> types;
  for (const auto& column : message.columns) types.push_back(column.type);
  blocked_ = true;
  on_catalogue_needed(message.oid, std::move(types));
}

void Pipeline::catalogue_ready() {
  if (!blocked_) return;
  const std::string message = std::move(waiting_message_);
  const auto& relation = std::get<pgoutput::RelationMessage>(decoder_.decode(message));
  (void)relations_.meet(relation, true);
  blocked_ = false;
  if (on_resume) on_resume();
}

Table& Pipeline::table_of(replication::Oid oid) {
  Table* table = relations_.find(oid);
  if (table == nullptr || !table->met) {
    throw replication::ProtocolError("the stream carries a row of relation " + std::to_string(oid) +
                                     ", which it has not described");
  }
  if (table->inexact && options_.binary && table->writer != nullptr) {
    throw TextNeeded("rows of table \"" + table->relation->qualified() +
                     "\" come in a shape that only the text format carries exactly");
  }
  return *table;
}

bool Pipeline::counted_change() {
  ++changes_;
  ++number_;
  if (!in_transaction_) throw replication::ProtocolError("the stream carries a row outside a transaction");
  if (skipping_ || changes_ <= skip_changes_) return false;
  ++counters_.changes;
  return true;
}

Position Pipeline::here() const { return {committed_, transaction_.commit, changes_}; }

void Pipeline::take(const pgoutput::Insert& insert) {
  Table& table = table_of(insert.relation);
  ++table.counts.inserts;
  Change change;
  change.operation = Operation::insert;
  change.relation = table.relation.get();
  if (table.writer != nullptr)
    change.new_row = new_text_.decode(*table.relation, insert.new_tuple, false, options_.encoding);
  this->change(table, change);
}

void Pipeline::take(const pgoutput::Update& update) {
  Table& table = table_of(update.relation);
  ++table.counts.updates;
  Change change;
  change.operation = Operation::update;
  change.relation = table.relation.get();
  change.old_full = update.old_kind == 'O';
  if (table.writer != nullptr) {
    change.new_row = new_text_.decode(*table.relation, update.new_tuple, false, options_.encoding);
    if (update.old_kind != 0) {
      change.old_row = old_text_.decode(*table.relation, update.old_tuple, update.old_kind == 'K', options_.encoding);
    }
  }
  this->change(table, change);
}

void Pipeline::take(const pgoutput::Delete& removal) {
  Table& table = table_of(removal.relation);
  ++table.counts.deletes;
  Change change;
  change.operation = Operation::remove;
  change.relation = table.relation.get();
  change.old_full = removal.old_kind == 'O';
  if (table.writer != nullptr) {
    change.old_row = old_text_.decode(*table.relation, removal.old_tuple, removal.old_kind == 'K', options_.encoding);
  }
  this->change(table, change);
}

void Pipeline::place(Change& change) const {
  change.transaction = &transaction_;
  change.number = number_;
}

void Pipeline::change(Table& table, Change& change) {
  const bool fresh = counted_change();
  place(change);
  if (table.writer == nullptr) {
    counters_.filtered += fresh ? 1 : 0;
    return;
  }
  if (overtaken_.watching(table.relation->oid)) {
    if (!change.new_row.empty()) touch(table, change.new_row);
    if (!change.old_row.empty()) touch(table, change.old_row);
  }
  if (!fresh) return;
  wrote_ = true;
  if (table.differs && !table.loading) on_shape(table.relation->oid);
  if (documents_ != nullptr && !table.writer->paths().empty()) documents_->changed(*table.writer, change);
  write(*table.writer, row_of(change), [&] {
    if (rereads_.empty() || !merge_reread(table, change)) apply(table, change);
  });
  sink_.row(here());
  event::crash_point();
}

void Pipeline::touch(Table& table, Row row) {
  identity_.clear();
  table.writer->append_identity(row, identity_);
  overtaken_.touch(table.relation->oid, identity_);
}

void Pipeline::apply(Table& table, const Change& change) {
  // While a table is being loaded, fields of an earlier life may stand under a key, and what an UPDATE leaves out
  // cannot be relied on. But what the last owner has shown already was whole: to fetch it again would show less
  // meanwhile.
  const bool keep_unchanged = !table.loading || repeats();
  sinks::Batch& batch = sink_.batch();
  const std::size_t bytes = batch.bytes();
  const auto outcome = table.writer->apply(change, keep_unchanged, batch);
  const bool silent = batch.bytes() == bytes && table.writer->paths().empty();
  counters_.filtered += silent && outcome == sinks::RelationWriter::Outcome::done ? 1 : 0;
  // Where the stream is behind an ALTER TABLE, or ahead, the table is about to be read: the row comes with it. But what
  // the last owner has shown of the row must not be replaced by less until then.
  if (outcome != sinks::RelationWriter::Outcome::reread) return;
  if (!table.differs || repeats()) note_reread(table, change.new_row);
}

void Pipeline::take(const pgoutput::Truncate& truncate) {
  const bool fresh = counted_change();
  const std::uint64_t first = number_;
  number_ += truncate.relations.size() - 1;
  std::vector<sinks::OwnedKeys> owned;
  bool mapped = false;
  for (const replication::Oid oid : truncate.relations) {
    Table& table = table_of(oid);
    ++table.counts.truncates;
    if (table.writer == nullptr) continue;
    overtaken_.truncate(oid);
    if (!fresh) continue;
    for (const std::string& note : rereads_.drop_table(oid)) erase_note(note);
    if (documents_ != nullptr && !table.writer->paths().empty()) {
      documents_->truncated(*table.writer);
      wrote_ = true;
    }
    mapped = true;
    owned.insert(owned.end(), table.writer->truncated().begin(), table.writer->truncated().end());
  }
  if (!fresh || !mapped) return;
  wrote_ = true;
  event::crash_point();
  if (!owned.empty()) {
    std::vector<std::uint32_t> writes = sinks::writes_of(owned);
    sink_.remove_owned(std::move(owned), std::move(writes));
  }
  tell_truncate(truncate, first);
  sink_.row(here());
}

void Pipeline::tell_truncate(const pgoutput::Truncate& truncate, std::uint64_t first) {
  for (std::size_t i = 0; i < truncate.relations.size(); ++i) {
    Table& table = table_of(truncate.relations[i]);
    if (table.writer == nullptr) continue;
    Change change;
    change.relation = table.relation.get();
    place(change);
    change.number = first + i;
    table.writer->tell_truncate(change, sink_.batch());
  }
}

void Pipeline::note(const sinks::RelationWriter& writer, const RowOf& of) {
  for (const sinks::Refusal& refusal : writer.refusals()) {
    refuse(refusal.policy, {row_image(writer, of.relation, of.operation, of.row), "", "", refusal.error});
  }
}

void Pipeline::refuse(sinks::OnPoison policy, sinks::DeadLetter letter) {
  if (policy == sinks::OnPoison::stop && !options_.note_all) throw sinks::RowError(letter.error);
  if (policy == sinks::OnPoison::skip) {
    ++counters_.skipped_rows;
  } else {
    sink_.dead_letter(std::move(letter));
  }
}

}  // namespace walrelay::sidecar
