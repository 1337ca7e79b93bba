// Rows that an UPDATE left incomplete: noted, merged with what follows, written when they are whole (rereads.h).
#include "sidecar/pipeline.h"
#include "sinks/bookkeeping.h"

namespace walrelay::sidecar {

using replication::Change;
using replication::Operation;
using replication::Row;
using sinks::Bookkeeping;

void Pipeline::note_reread(Table& table, Row row) {
  identity_.clear();
  table.writer->append_identity(row, identity_);
  Reread& reread = note(table, identity_, row_key(*table.relation, row));
  if (!table.differs) reread.merge(row);
  if (repeats()) rereads_.hold(reread);
}

void Pipeline::mend(Table& table, std::string_view identity, RowKey key) {
  if (rereads_.find(table.relation->oid, identity) != nullptr) return;
  note(table, identity, std::move(key));
  sink_.loaded(0);
}

void Pipeline::replay(Table& table, std::string_view identity, RowKey key, Row gone,
                      const std::vector<std::string>& forget) {
  if (!gone.empty()) {
    write(*table.writer, {*table.relation, "delete", gone}, [&] { table.writer->remove(gone, sink_.batch()); });
  }
  sinks::append(Bookkeeping::rereads, {forget.begin(), forget.end()}, sink_.batch());
  mend(table, identity, std::move(key));
  sink_.loaded(0);
}

Reread& Pipeline::note(Table& table, std::string_view identity, RowKey key) {
  const std::string note = to_note(table.relation->schema, table.relation->name, key);
  Reread& reread = rereads_.add(table.relation->oid, identity, std::move(key), note, overtaken_.next_chunk());
  sinks::append(Bookkeeping::rereads, {"HSET", options_.reread_key, note, "1"}, sink_.batch());
  ++counters_.rereads;
  if (on_reread) on_reread();
  return reread;
}

void Pipeline::erase_note(const std::string& note) {
  sinks::append(Bookkeeping::rereads, {"HDEL", options_.reread_key, note}, sink_.batch());
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
  if (table.differs && reread->holds && change.operation == Operation::update && change.old_row.empty()) {
    reread->forget(overtaken_.next_chunk());
    table.writer->tell(change, sink_.batch());
    return true;
  }
  // Gone, or gone before and made anew: nothing is missing any more. Or of another shape: the table will be read.
  if (change.operation != Operation::update || table.differs) {
    rereads_.erase(oid, old_identity);
    erase_note(old_note);
    return false;
  }
  identity_.clear();
  table.writer->append_identity(change.new_row, identity_);
  if (identity_ != old_identity) {  // the image moves with the row; the old key goes
    table.writer->remove(change.old_row, sink_.batch());
    note_refusals(*table.writer, {*table.relation, "update", change.old_row});
    Reread image = *reread;
    rereads_.erase(oid, old_identity);
    erase_note(old_note);
    note_reread(table, change.new_row);
    reread = rereads_.find(oid, identity_);
    image.merge(change.new_row);
    const auto values = image.values();
    reread->fill(values);
  } else {
    if (change.old_full) {
      table.writer->remove(change.old_row, sink_.batch());
      note_refusals(*table.writer, {*table.relation, "update", change.old_row});
    }
    reread->merge(change.new_row);
  }
  if (change.old_full) reread->fill(change.old_row);  // what the change left alone is in the old row
  if (reread->complete()) {
    const std::string note = reread->note;
    write_whole(table, *reread);
    rereads_.erase(oid, identity_);
    erase_note(note);
  }
  table.writer->tell(change, sink_.batch());  // at the change: what is read for it later is none
  return true;
}

void Pipeline::write_whole(Table& table, const Reread& reread) {
  const auto values = reread.values();
  table.writer->replace(values, false, sink_.batch());
  note_refusals(*table.writer, {*table.relation, "update", values});
}

}  // namespace walrelay::sidecar
