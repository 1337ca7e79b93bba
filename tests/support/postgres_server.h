// A throw-away PostgreSQL: wal_level=logical, a unix socket and a free port on 127.0.0.1, superuser `postgres`.
//
//   Postgres postgres;
//   postgres.sql("CREATE TABLE t (id int PRIMARY KEY)");
//   postgres.stop("fast"); postgres.start();      // the same data, the same port
//   postgres.base_backup("early");                // and later, while it is stopped: postgres.restore("early")
//
// PostgreSQL refuses to run as root, so a test that is root starts it as `postgres` or `nobody`. initdb runs once per
// version and set of arguments; every cluster is a copy of that template.
#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace walrelay::support {

// What psql said about a statement that failed.
struct SqlError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Postgres {
 public:
  struct Options {
    std::map<std::string, std::string> settings = {};  // as in postgresql.conf; overrides the fixture's own
    std::vector<std::string> initdb = {};              // more arguments, such as --encoding=LATIN1 or --wal-segsize=1
    std::vector<std::string> hba = {};                 // lines before "trust everybody"
    bool start = true;
    Postgres* standby_of = nullptr;  // begins as a hot standby of that one, without a slot; initdb is not used
  };

  Postgres() : Postgres(Options()) {}
  explicit Postgres(const Options& options);
  ~Postgres();
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  void start();  // returns when it accepts connections
  // How long it took. Throws std::runtime_error when it still runs after `patience`.
  milliseconds stop(const std::string& mode = "fast", milliseconds patience = seconds(60));  // fast, immediate, smart
  void restart(const std::string& mode = "fast");
  void kill();    // SIGKILL to all its processes, as if the machine had lost power (but for the page cache)
  void pause();   // SIGSTOP to all its processes: the sockets stay open and nobody answers
  void resume();  // SIGCONT
  [[nodiscard]] bool running();
  // Its processes whose title holds `words` ("walsender", "" for all), the postmaster included.
  [[nodiscard]] std::vector<pid_t> processes(const std::string& words = "");

  // What `psql -qAtX` prints for these statements, without the last newline. Throws SqlError.
  std::string sql(const std::string& statements, const std::string& database = "postgres");
  void set(const std::string& name, const std::string& value);  // ALTER SYSTEM and reload, in force when it returns
  void reload();
  void set_hba(const std::vector<std::string>& lines);  // replaces Options::hba, and reloads

  [[nodiscard]] const std::string& socket_dir() const { return folder_.path(); }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string conninfo(const std::string& database = "postgres") const;  // key=value, by the unix socket
  [[nodiscard]] std::string url(const std::string& database = "postgres") const;       // postgresql://, by TCP
  [[nodiscard]] std::string data_dir() const { return folder_.path() + "/data"; }
  [[nodiscard]] std::string log() const;
  // Puts a file that belongs to the server's user, mode 0600, into the data folder (keys, certificates); its path.
  std::string place(const std::string& name, const std::string& content);
  void base_backup(const std::string& name);  // with the WAL that it needs, into a folder beside the data
  // While it is stopped. `restore` puts the backup over the data: no recovery target, no standby, the same timeline.
  void restore(const std::string& name);
  void replace_cluster(const std::vector<std::string>& initdb);  // another system; arguments unlike Options::initdb
  void stop_receiving();  // of a standby: it keeps what it has, and hears no more of its primary
  void promote();
  // Where the binaries are, and the major version.
  static std::string binary(const std::string& name);
  static int version();

 private:
  void copy_template();
  void take_backup_of(const Postgres& from, const std::string& place, bool for_standby);
  bool try_start();
  void write_settings();
  void write_hba();
  [[nodiscard]] bool ready() const;

  Options options_;
  TemporaryFolder folder_;
  std::string user_;
  int port_ = 0;
  bool port_is_known_ = false;  // clients may have been told: it must stay
  std::unique_ptr<Process> server_;
};

// A psql that stays connected: transactions that stay open, locks, and many statements without many processes.
class PsqlSession {
 public:
  explicit PsqlSession(const Postgres& postgres, const std::string& database = "postgres");
  ~PsqlSession();
  PsqlSession(const PsqlSession&) = delete;
  PsqlSession& operator=(const PsqlSession&) = delete;
  // What the statements print. Throws SqlError when one fails or the connection is lost.
  std::string sql(const std::string& statements, milliseconds timeout = seconds(60));

 private:
  TemporaryFolder folder_;
  int input_ = -1;
  int steps_ = 0;
  std::size_t output_read_ = 0;
  std::size_t errors_read_ = 0;
  std::unique_ptr<Process> psql_;
};

}  // namespace walrelay::support
