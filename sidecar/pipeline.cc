#include "sidecar/pipeline.h"

#include "event/crash_point.h"
#include "replication/reader.h"

namespace walrelay::sidecar {

using replication::Change;
using replication::Lsn;
using replication::Operation;
using replication::Position;
using replication::Row;
namespace pgoutput = replication::pgoutput;

namespace {

constexpr std::uint32_t kNotes = 0xffff0000;  // the Batch entries of notes: no mapping has so many writes

}  // namespace

Pipeline::Pipeline(PipelineOptions options, Relations& relations, Overtaken& overtaken, Rereads& rereads,
                   sinks::Sink& sink, ServerClock& clock)
    : options_(std::move(options)),
      relations_(relations),
      overtaken_(overtaken),
      rereads_(rereads),
      sink_(sink),
      clock_(clock),
      committed_(options_.verified.committed) {
  relations_.on_replaced = [this](replication::Oid oid) { rereads_.forget_table(oid, overtaken_.next_chunk()); };
}

bool Pipeline::on_data(std::string_view message, Lsn, Lsn, std::int64_t server_time_us) {
  clock_.observe(server_time_us);
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
  transaction_ = {begin.xid, begin.final_lsn, begin.commit_time_us};
  in_transaction_ = true;
  wrote_ = false;
  changes_ = 0;
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
  if (relations_.meet(message)) return;
  std::vector<replication::Oid> types;
  for (const auto& column : message.columns) types.push_back(column.type);
  blocked_ = true;
  on_catalogue_needed(message.oid, std::move(types));
}

void Pipeline::catalogue_ready() {
  if (!blocked_) return;
  const std::string message = std::move(waiting_message_);
  const auto& relation = std::get<pgoutput::RelationMessage>(decoder_.decode(message));
  if (!relations_.meet(relation)) {
    throw replication::ProtocolError("the catalogue does not know table \"" + std::string(relation.schema) + "." +
                                     std::string(relation.name) + "\" (" + std::to_string(relation.oid) +
                                     ") that the stream names");
  }
  blocked_ = false;
  if (on_resume) on_resume();
}

Table& Pipeline::table_of(replication::Oid oid) {
  Table* table = relations_.find(oid);
  if (table == nullptr || !table->met) {
    throw replication::ProtocolError("the stream carries a row of relation " + std::to_string(oid) +
                                     ", which it has not described");
  }
  return *table;
}

bool Pipeline::counted_change() {
  ++changes_;
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

void Pipeline::change(Table& table, const Change& change) {
  const bool fresh = counted_change();
  if (table.writer == nullptr) return;
  if (overtaken_.watching(table.relation->oid)) {
    if (!change.new_row.empty()) touch(table, change.new_row);
    if (!change.old_row.empty()) touch(table, change.old_row);
  }
  if (!fresh) return;
  wrote_ = true;
  try {
    if (rereads_.empty() || !merge_reread(table, change)) apply(table, change);
  } catch (const sinks::RowError& error) {
    refuse(error, *table.relation);
  }
  sink_.row(here());
  event::crash_point();
}

void Pipeline::touch(Table& table, Row row) {
  identity_.clear();
  table.writer->append_identity(row, identity_);
  overtaken_.touch(table.relation->oid, identity_);
}

void Pipeline::apply(Table& table, const Change& change) {
  const auto outcome = table.writer->apply(change, !table.loading, sink_.batch());
  if (outcome == sinks::RelationWriter::Outcome::reread) note_reread(table, change.new_row);
}

void Pipeline::note_reread(Table& table, Row row) {
  identity_.clear();
  table.writer->append_identity(row, identity_);
  RowKey key = row_key(*table.relation, row);
  std::string note = to_note(table.relation->schema, table.relation->name, key);
  Reread& reread = rereads_.add(table.relation->oid, identity_, std::move(key), note, overtaken_.next_chunk());
  reread.merge(row);
  sinks::Batch& batch = sink_.batch();
  batch.open(kNotes, options_.reread_key, sinks::Effect::ordered);
  batch.command(4);
  for (const std::string_view argument : {std::string_view("HSET"), std::string_view(options_.reread_key),
                                          std::string_view(note), std::string_view("1")}) {
    batch.argument(argument);
  }
  batch.close();
  ++counters_.rereads;
  if (on_reread) on_reread();
}

void Pipeline::erase_note(const std::string& note) {
  sinks::Batch& batch = sink_.batch();
  batch.open(kNotes, options_.reread_key, sinks::Effect::ordered);
  batch.command(3);
  for (const std::string_view argument :
       {std::string_view("HDEL"), std::string_view(options_.reread_key), std::string_view(note)}) {
    batch.argument(argument);
  }
  batch.close();
}

// True: the change concerns a noted row and has been dealt with.
bool Pipeline::merge_reread(Table& table, const Change& change) {
  const replication::Oid oid = table.relation->oid;
  const Row before = change.old_row.empty() ? change.new_row : change.old_row;
  std::string old_identity;
  table.writer->append_identity(before, old_identity);
  Reread* reread = rereads_.find(oid, old_identity);
  if (reread == nullptr) return false;
  const std::string old_note = reread->note;
  if (change.operation != Operation::update) {  // gone, or gone before and made anew: nothing is missing any more
    rereads_.erase(oid, old_identity);
    erase_note(old_note);
    return false;
  }
  identity_.clear();
  table.writer->append_identity(change.new_row, identity_);
  if (identity_ != old_identity) {  // the image moves with the row; the old key goes
    Change removal = change;
    removal.operation = Operation::remove;
    removal.new_row = {};
    (void)table.writer->apply(removal, true, sink_.batch());
    Reread image = *reread;
    rereads_.erase(oid, old_identity);
    erase_note(old_note);
    note_reread(table, change.new_row);
    reread = rereads_.find(oid, identity_);
    image.merge(change.new_row);
    const auto values = image.values();
    reread->fill(values);
  } else {
    reread->merge(change.new_row);
  }
  if (change.old_full) reread->fill(change.old_row);  // what the change left alone is in the old row
  if (reread->complete()) {
    const std::string note = reread->note;
    write_whole(table, *reread);
    rereads_.erase(oid, identity_);
    erase_note(note);
  }
  return true;
}

void Pipeline::write_whole(Table& table, const Reread& reread) {
  const auto values = reread.values();
  table.writer->replace(values, false, sink_.batch());
}

void Pipeline::take(const pgoutput::Truncate& truncate) {
  const bool fresh = counted_change();
  std::vector<sinks::OwnedKeys> owned;
  std::vector<std::uint32_t> writes;
  for (const replication::Oid oid : truncate.relations) {
    Table& table = table_of(oid);
    ++table.counts.truncates;
    if (table.writer == nullptr) continue;
    overtaken_.truncate(oid);
    if (!fresh) continue;
    for (const std::string& note : rereads_.drop_table(oid)) erase_note(note);
    owned.insert(owned.end(), table.writer->owned().begin(), table.writer->owned().end());
    writes.insert(writes.end(), table.writer->writes().begin(), table.writer->writes().end());
  }
  if (!fresh || owned.empty()) return;
  wrote_ = true;
  event::crash_point();
  sink_.remove_owned(std::move(owned), std::move(writes));
  sink_.row(here());
}

void Pipeline::refuse(const sinks::RowError& error, const replication::Relation& relation) {
  if (!options_.dead_letter_rows) throw error;
  ++counters_.dead_letters;
  sink_.dead_letter(relation.qualified(), "", error.what());
}

}  // namespace walrelay::sidecar
