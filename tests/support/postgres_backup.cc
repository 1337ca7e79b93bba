// Copies of a cluster: base backups, standbys, and other clusters in its place (postgres_server.h).
#include <filesystem>

#include "tests/support/postgres_server.h"

namespace walrelay::support {

namespace fs = std::filesystem;

void Postgres::take_backup_of(const Postgres& from, const std::string& place, bool for_standby) {
  std::vector<std::string> argv = {binary("pg_basebackup"), "--pgdata=" + place,   "--dbname=" + from.conninfo(),
                                   "--checkpoint=fast",     "--wal-method=stream", "--no-sync"};
  if (for_standby) argv.emplace_back("--write-recovery-conf");
  Process process({.argv = argv, .env = {}, .folder = folder_.path(), .name = "basebackup", .user = user_});
  const auto status = process.wait(seconds(120));
  if (status != 0) throw std::runtime_error("pg_basebackup failed: " + process.errors() + process.output());
}

void Postgres::base_backup(const std::string& name) { take_backup_of(*this, folder_.path() + "/" + name, false); }

void Postgres::restore(const std::string& name) {
  if (running()) throw std::runtime_error("a backup is restored while PostgreSQL is stopped");
  fs::remove_all(data_dir());
  fs::rename(folder_.path() + "/" + name, data_dir());
}

void Postgres::replace_cluster(const std::vector<std::string>& initdb) {
  if (running()) throw std::runtime_error("a cluster is replaced while PostgreSQL is stopped");
  // Clusters of one template share its system identifier.
  if (initdb == options_.initdb) throw std::runtime_error("another cluster needs other arguments of initdb");
  options_.initdb = initdb;
  fs::remove_all(data_dir());
  copy_template();
  write_hba();
}

void Postgres::stop_receiving() {
  set("primary_conninfo", "");
  const auto gone = [this] { return processes("walreceiver").empty(); };
  if (!wait_until(gone, seconds(30))) throw std::runtime_error("the standby goes on receiving: " + log());
}

void Postgres::promote() {
  if (sql("SELECT pg_promote()") != "t") throw std::runtime_error("the standby is not promoted: " + log());
}

}  // namespace walrelay::support
