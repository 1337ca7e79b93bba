// The end of the server's log, for those who wait until Redis holds everything: where it is, and that it gets to the
// stream.
#include "sidecar/catalogue.h"

namespace walrelay::sidecar {

using replication::Lsn;

void Catalogue::flush_wal() {
  flush_due_ = true;
  work_.set();
}

event::Task<> Catalogue::flush() {
  flush_due_ = false;
  const std::string sql =
      "BEGIN; SET LOCAL synchronous_commit = local; SELECT CASE WHEN NOT pg_is_in_recovery() THEN "
      "pg_logical_emit_message(true, 'walrelay', '') END; COMMIT";
  auto flushing = connection_.query(sql, "make the server flush its WAL");
  co_await std::move(flushing);
}

std::uint64_t Catalogue::ask_end() {
  work_.set();
  return ++ends_asked_;
}

std::optional<Lsn> Catalogue::end_since(std::uint64_t question) const {
  return ends_known_ >= question ? std::optional(end_) : std::nullopt;
}

// Who asks while the server is being asked needs another answer: what he has committed may be behind this one.
event::Task<> Catalogue::find_end() {
  const std::uint64_t answered = ends_asked_;
  const std::string sql =
      "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE "
      "pg_catalog.pg_current_wal_insert_lsn() END";
  auto asking = connection_.query(sql, "ask where the server's log ends");
  const auto found = co_await std::move(asking);
  end_ = replication::parse_lsn(found.text(0, 0)).value_or(Lsn::invalid);
  ends_known_ = answered;
}

}  // namespace walrelay::sidecar
