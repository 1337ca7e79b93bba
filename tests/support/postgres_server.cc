#include "tests/support/postgres_server.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <sstream>
#include <utility>

namespace walrelay::support {
namespace {

namespace fs = std::filesystem;

std::string unprivileged_user() {
  if (::getuid() != 0) return "";
  for (const char* name : {"postgres", "nobody"}) {
    if (::getpwnam(name) != nullptr) return name;
  }
  throw std::runtime_error("PostgreSQL does not run as root and there is no user postgres or nobody");
}

void give_to(const std::string& user, const std::string& path) {
  if (user.empty()) return;
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr || ::lchown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0) {
    throw std::runtime_error("cannot give " + path + " to " + user);
  }
}

void check(const Finished& finished, const std::string& what) {
  if (finished.status != 0) throw std::runtime_error(what + " failed: " + finished.errors + finished.output);
}

// Several test processes may want the first template at once: one makes it, the others wait.
class FileLock {
 public:
  explicit FileLock(const std::string& path) : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (file_ < 0) throw std::runtime_error("cannot open " + path);
    while (::flock(file_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~FileLock() { ::close(file_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int file_;
};

void make_template(const std::string& place, const std::vector<std::string>& arguments, const std::string& user) {
  const TemporaryFolder folder("initdb");
  give_to(user, folder.path());
  const std::string data = folder.path() + "/data";
  std::vector<std::string> argv = {
      Postgres::binary("initdb"), "--pgdata=" + data, "--username=postgres", "--auth=trust", "--no-sync",
      "--no-instructions",        "--encoding=UTF8",  "--locale=C"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  Process process({.argv = argv, .env = {}, .folder = folder.path(), .name = "initdb", .user = user});
  const auto status = process.wait(seconds(120));
  if (status != 0) throw std::runtime_error("initdb failed: " + process.errors() + process.output());
  // The last step is a rename, so that a template is whole or absent.
  fs::remove_all(place + ".new");
  check(run_program(folder.path(), {"cp", "-a", data, place + ".new"}), "copying the new cluster");
  fs::rename(place + ".new", place);
}

// The folder of the cluster that every test copies.
std::string template_for(const std::vector<std::string>& arguments, const std::string& user) {
  std::string key = user;
  for (const auto& argument : arguments) key += " " + argument;
  const std::string cache = std::string(BINARY_DIRECTORY) + "/test-clusters";
  fs::create_directories(cache);
  const std::string place = cache + "/postgresql-" + std::to_string(Postgres::version()) + "-" +
                            std::to_string(std::hash<std::string>()(key));
  const FileLock lock(place + ".lock");
  if (!fs::exists(place)) make_template(place, arguments, user);
  return place;
}

}  // namespace

std::string Postgres::binary(const std::string& name) {
  return "/usr/lib/postgresql/" + std::to_string(version()) + "/bin/" + name;
}

int Postgres::version() {
  int newest = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    if (fs::exists(entry.path() / "bin/postgres")) newest = std::max(newest, std::stoi(entry.path().filename()));
  }
  if (newest == 0) throw std::runtime_error("there is no PostgreSQL server in /usr/lib/postgresql: run scripts/setup");
  return newest;
}

Postgres::Postgres(const Options& options) : options_(options), folder_("postgres"), user_(unprivileged_user()) {
  give_to(user_, folder_.path());
  options_.standby_of == nullptr ? copy_template() : take_backup_of(*options_.standby_of, data_dir(), true);
  write_hba();
  if (options_.start) start();
}

void Postgres::copy_template() {
  const std::string source = template_for(options_.initdb, user_);
  check(run_program(folder_.path(), {"cp", "-a", "--reflink=auto", source, data_dir()}),
        "copying the template cluster");
}

Postgres::~Postgres() {
  if (server_ != nullptr && server_->running()) {
    resume();
    server_->signal(SIGQUIT);
    server_->wait(seconds(10));
  }
}

void Postgres::write_settings() {
  std::map<std::string, std::string> settings = {{"listen_addresses", "127.0.0.1"},
                                                 {"unix_socket_directories", folder_.path()},
                                                 {"wal_level", "logical"},
                                                 {"fsync", "off"},
                                                 {"max_replication_slots", "20"},
                                                 {"max_wal_senders", "20"},
                                                 {"autovacuum", "off"},
                                                 {"shared_buffers", "16MB"},
                                                 {"log_line_prefix", "%m [%p] "},
                                                 {"lc_messages", "C"},
                                                 {"timezone", "UTC"},
                                                 {"log_timezone", "UTC"}};
  for (const auto& [name, value] : options_.settings) settings[name] = value;
  settings["port"] = std::to_string(port_);
  std::string text;
  for (const auto& [name, value] : settings) {
    text += name + " = '";
    for (const char c : value) text += c == '\'' ? std::string("''") : std::string(1, c);
    text += "'\n";
  }
  write_file(data_dir() + "/postgresql.conf", text);
}

void Postgres::write_hba() {
  std::string text;
  for (const auto& line : options_.hba) text += line + "\n";
  for (const char* kind : {"all", "replication"}) {
    text += std::string("local ") + kind + " all trust\nhost " + kind + " all 127.0.0.1/32 trust\n";
  }
  write_file(data_dir() + "/pg_hba.conf", text);
}

void Postgres::start() {
  // Before the first start any port will do. Later clients know it, so a lost one is only waited for.
  const auto next_try = [this] {
    if (!port_is_known_) port_ = free_port();
    return try_start();
  };
  if (!wait_until(next_try, seconds(60))) throw std::runtime_error("PostgreSQL found no free port: " + log());
  port_is_known_ = true;
}

// False when somebody else has the port.
bool Postgres::try_start() {
  write_settings();
  const auto log_before = log().size();
  server_ = std::make_unique<Process>(Process::Options{.argv = {binary("postgres"), "-D", data_dir()},
                                                       .env = {},
                                                       .folder = folder_.path(),
                                                       .name = "postgres",
                                                       .user = user_,
                                                       .append = true});
  const auto decided = [this] { return ready() || !server_->running(); };
  if (!wait_until(decided, seconds(60))) throw std::runtime_error("PostgreSQL does not become ready: " + log());
  if (server_->running()) return true;
  const std::string said = log().substr(log_before);
  if (said.find("Address already in use") != std::string::npos) return false;
  throw std::runtime_error("PostgreSQL does not start: " + said);
}

// The postmaster writes its state into the eighth line of its lock file.
bool Postgres::ready() const {
  std::istringstream lines(read_file(data_dir() + "/postmaster.pid"));
  std::string line;
  int number = 0;
  bool ours = false;  // a server that was killed leaves its file behind
  while (std::getline(lines, line)) {
    if (++number == 1) ours = line == std::to_string(server_->pid());
    if (number == 8) return ours && line.starts_with("ready");
  }
  return false;
}

milliseconds Postgres::stop(const std::string& mode, milliseconds patience) {
  const auto begin = std::chrono::steady_clock::now();
  server_->signal(mode == "fast" ? SIGINT : mode == "immediate" ? SIGQUIT : SIGTERM);
  if (!server_->wait(patience)) {
    throw std::runtime_error("PostgreSQL still runs " + std::to_string(patience.count()) + " ms after a " + mode +
                             " shutdown: " + log());
  }
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
}

void Postgres::restart(const std::string& mode) {
  stop(mode);
  start();
}

bool Postgres::running() { return server_ != nullptr && server_->running(); }

std::vector<pid_t> Postgres::processes(const std::string& words) {
  std::vector<pid_t> found;
  if (!running()) return found;
  auto all = children_of(server_->pid());
  all.insert(all.begin(), server_->pid());
  for (const pid_t process : all) {
    if (title_of(process).find(words) != std::string::npos) found.push_back(process);
  }
  return found;
}

void Postgres::kill() {
  // The postmaster goes first, so that it starts nothing new; its children must be gone before the next start.
  const auto all = processes();
  for (const pid_t process : all) ::kill(process, SIGKILL);
  server_->wait(seconds(60));
  const auto gone = [&] {
    for (const pid_t process : all) {
      if (!title_of(process).empty()) return false;
    }
    return true;
  };
  if (!wait_until(gone, seconds(60))) throw std::runtime_error("processes of PostgreSQL survive SIGKILL");
}

void Postgres::pause() {
  server_->signal(SIGSTOP);
  for (const pid_t process : processes()) ::kill(process, SIGSTOP);
}

void Postgres::resume() {
  for (const pid_t process : processes()) ::kill(process, SIGCONT);
}

std::string Postgres::sql(const std::string& statements, const std::string& database) {
  const auto finished = run_program(
      folder_.path(), {"psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-d", conninfo(database)},
      statements, {{"PGOPTIONS", ""}, {"PGAPPNAME", "test"}});
  if (finished.status != 0) throw SqlError(finished.errors + "in: " + statements.substr(0, 500));
  std::string output = finished.output;
  if (output.ends_with('\n')) output.pop_back();
  return output;
}

void Postgres::set(const std::string& name, const std::string& value) {
  sql("ALTER SYSTEM SET " + name + " = '" + value + "'");
  reload();
}

void Postgres::set_hba(const std::vector<std::string>& lines) {
  options_.hba = lines;
  write_hba();
  reload();
}

void Postgres::reload() {
  const std::string loaded = "SELECT pg_conf_load_time()";
  const std::string before = sql(loaded);
  server_->signal(SIGHUP);
  if (!wait_until([&] { return sql(loaded) != before; }, seconds(30))) {
    throw std::runtime_error("PostgreSQL does not reload its configuration: " + log());
  }
}

std::string Postgres::conninfo(const std::string& database) const {
  return "host=" + folder_.path() + " port=" + std::to_string(port_) + " user=postgres dbname=" + database;
}

std::string Postgres::url(const std::string& database) const {
  return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

std::string Postgres::log() const { return read_file(folder_.path() + "/postgres.err"); }

std::string Postgres::place(const std::string& name, const std::string& content) {
  const std::string path = data_dir() + "/" + name;
  write_file(path, content);
  fs::permissions(path, fs::perms(0600));
  give_to(user_, path);
  return path;
}

}  // namespace walrelay::support
