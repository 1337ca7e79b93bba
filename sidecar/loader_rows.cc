// Single rows that must be read again (loader.h).
#include "sidecar/loader_chunk.h"

namespace walrelay::sidecar {

using replication::Connection;

namespace {

constexpr std::size_t kRowsReadAgainAtOnce = 256;

}  // namespace

event::Task<> Loader::read_rows_again(Connection& connection) {
  replication::Oid oid = 0;
  struct Hold {
    explicit Hold(Rereads& all) : rereads(all) {}
    ~Hold() {
      for (const auto& identity : identities) {
        if (Reread* reread = rereads.find(table, identity)) reread->reading = false;
      }
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    Rereads& rereads;
    replication::Oid table = 0;
    std::vector<std::string> identities;
  } hold(rereads_);
  const auto rows = rereads_.take(kRowsReadAgainAtOnce, oid);
  hold.table = oid;
  std::vector<const RowKey*> keys;
  for (const auto& [identity, reread] : rows) {
    hold.identities.push_back(identity);
    keys.push_back(&reread->key);
  }
  Table* table = relations_.find(oid);
  if (table == nullptr || table->writer == nullptr) {
    forget_rereads(rereads_.drop_table(oid));
    co_return;
  }
  // The stream may give the relation another shape while the chunk is read: keep what the chunk was asked with. Where
  // it is behind an ALTER TABLE, only the catalogue's shape can be read; nothing of the other has been kept then.
  const auto* info = relations_.described(oid);
  const auto bound = table->differs && info != nullptr ? relations_.bind(*info) : Relations::Bound();
  const replication::Relation relation = bound.relation ? *bound.relation : *table->relation;
  auto writer = relations_.bind_again(relation);
  Chunk chunk(*this, relation, *writer, connection);
  chunk.by_key = true;
  replication::ChunkRequest request;
  request.schema = relation.schema;
  request.table = relation.name;
  request.only = false;
  request.where = where_clause(keys);
  for (const auto& column : relation.columns) request.columns.push_back(column.name);
  request.binary = options_.format != "text";
  auto running = reader_.run(chunk, std::move(request));
  co_await std::move(running);
  for (const auto& identity : hold.identities) {
    Reread* reread = rereads_.find(oid, identity);
    if (reread == nullptr || reread->first_chunk > chunk.id()) continue;
    pipeline_.erase_note(reread->note);  // the row is gone; the stream has removed its key
    rereads_.erase(oid, identity);
    sink_.loaded(1);
  }
  ++progress_.rereads;
}

}  // namespace walrelay::sidecar
