#include "sinks/expression_engine.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "sinks/expression_functions.h"

namespace walrelay::sinks {
namespace {

// SQLite calls the progress handler each so many steps of its machine, counted over all runs of a statement.
constexpr int kProgressSteps = 100'000;
constexpr int kMostProgress = 300;             // thirty million steps: about half a second
constexpr int kMostBytes = 512 * 1024 * 1024;  // what Redis takes as one value

// Of the run that is going on.
thread_local bool clock_was_asked = false;
thread_local int progress = 0;

constexpr char kVfsName[] = "walrelay-without-clock";

int no_time(sqlite3_vfs*, double* days) noexcept {
  clock_was_asked = true;
  *days = 0;
  return SQLITE_ERROR;
}
int no_time_64(sqlite3_vfs*, sqlite3_int64* milliseconds) noexcept {
  clock_was_asked = true;
  *milliseconds = 0;
  return SQLITE_ERROR;
}
int no_file(sqlite3_vfs*, const char*, sqlite3_file* file, int, int*) noexcept {
  file->pMethods = nullptr;
  return SQLITE_CANTOPEN;
}

// The system that SQLite sees: the usual one, without time and files. Registered once in a process.
void register_vfs() {
  static sqlite3_vfs vfs = [] {
    const sqlite3_vfs* usual = sqlite3_vfs_find(nullptr);
    if (usual == nullptr) throw std::runtime_error("SQLite cannot be initialised");
    sqlite3_vfs made = *usual;
    made.zName = kVfsName;
    made.pNext = nullptr;
    made.xOpen = no_file;
    made.xCurrentTime = no_time;
    if (made.iVersion >= 2) made.xCurrentTimeInt64 = no_time_64;
    return made;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  if (registered != SQLITE_OK) throw std::runtime_error("SQLite refuses a system without clock");
}

void require(int result, sqlite3* connection, const char* what) {
  if (result == SQLITE_OK) return;
  const std::string message = connection == nullptr ? sqlite3_errstr(result) : sqlite3_errmsg(connection);
  throw std::runtime_error(std::string("SQLite, ") + what + ": " + message);
}

int count_progress(void*) noexcept { return ++progress > kMostProgress ? 1 : 0; }

void harden(sqlite3* connection) {
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);  // "name" is a name, never a string
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  const std::array<const char*, 5> modules{"json_each", "json_tree", "jsonb_each", "jsonb_tree", nullptr};
  // SQLite reads the array and changes nothing in it.
  require(sqlite3_drop_modules(connection, const_cast<const char**>(modules.data())), connection, "drop modules");
  sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, kMostBytes);
  sqlite3_limit(connection, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(connection, SQLITE_LIMIT_TRIGGER_DEPTH, 0);
  sqlite3_limit(connection, SQLITE_LIMIT_WORKER_THREADS, 0);
  require(sqlite3_exec(connection, "PRAGMA temp_store = MEMORY", nullptr, nullptr, nullptr), connection, "temp_store");
  sqlite3_progress_handler(connection, kProgressSteps, count_progress, nullptr);
}

sqlite::Connection open() {
  register_vfs();
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX;
  sqlite3* opened = nullptr;
  const int result = sqlite3_open_v2(":memory:", &opened, kFlags, kVfsName);
  sqlite::Connection connection(opened);
  require(result, opened, "open a database in memory");
  register_functions(opened);
  return connection;
}

// Messages of SQLite that no value of the row can stand in; others are cut at the first quote or colon.
constexpr std::array<std::string_view, 13> kPlainMessages{"malformed JSON",
                                                          "integer overflow",
                                                          "string or blob too big",
                                                          "LIKE or GLOB pattern too complex",
                                                          "ESCAPE expression must be a single character",
                                                          "JSON cannot hold BLOB values",
                                                          "JSON nested too deep",
                                                          "bad JSON path",
                                                          "json_object() labels must be TEXT",
                                                          "json_object() requires an even number of arguments",
                                                          "out of memory",
                                                          "argument of ntile must be a positive integer",
                                                          "second argument to nth_value must be a positive integer"};

std::string_view without_values(std::string_view message) {
  if (message.starts_with("JSON path error")) return "bad JSON path";  // as newer releases call it
  message = message.substr(0, message.find_first_of("'\":"));
  while (message.ends_with(' ')) message.remove_suffix(1);
  return message;
}

}  // namespace

ExpressionEngine& ExpressionEngine::of_thread() {
  thread_local ExpressionEngine engine;
  return engine;
}

ExpressionEngine::ExpressionEngine() : checking_(open()), computing_(open()) {
  list_functions();
  harden(checking_.get());
  harden(computing_.get());
  for (const char* const function : {"json_each", "json_tree", "jsonb_each", "jsonb_tree"}) {
    // SQLite makes their tables when they are named first, and asks for permission to do so. Old releases lack the last
    // two.
    const std::string sql = std::string("SELECT 1 FROM ") + function + "('[]')";
    sqlite3_exec(checking_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  }
}

// SQLite itself says which of its functions always give the same result for the same arguments.
void ExpressionEngine::list_functions() {
  const auto sql = "SELECT DISTINCT lower(name), type, flags & " + std::to_string(SQLITE_DETERMINISTIC) +
                   " FROM pragma_function_list ORDER BY 1";
  sqlite3_stmt* prepared = nullptr;
  const int result = sqlite3_prepare_v2(checking_.get(), sql.c_str(), -1, &prepared, nullptr);
  const sqlite::Statement statement(prepared);
  require(result, checking_.get(), "list functions");
  const auto text = [prepared](int column) {
    const unsigned char* bytes = sqlite3_column_text(prepared, column);
    return std::string(bytes == nullptr ? "" : reinterpret_cast<const char*>(bytes));
  };
  forbidden_ = {"load_extension", "sqlite_log", "sqlite_offset", "changes", "last_insert_rowid", "total_changes"};
  while (sqlite3_step(prepared) == SQLITE_ROW) {
    const std::string name = text(0);
    const bool scalar = text(1) == "s", steady = sqlite3_column_int(prepared, 2) != 0 || name.starts_with("sqlite_");
    if (scalar && !steady) forbidden_.insert(name);
    if (functions_.empty() || functions_.back() != name) functions_.push_back(name);
  }
  std::erase_if(functions_, [this](const std::string& name) { return forbids(name); });
}

void ExpressionEngine::begin() {
  clock_was_asked = false;
  progress = 0;
}

bool ExpressionEngine::asked_for_time() { return clock_was_asked; }

std::string ExpressionEngine::failure(int result) const {
  if (asked_for_time()) return "it asks for the current time";
  if (result == SQLITE_INTERRUPT) return "it takes too many steps";
  if (result == SQLITE_TOOBIG) return "a text of it is too long";
  const std::string_view plain = without_values(message_);
  if (std::find(kPlainMessages.begin(), kPlainMessages.end(), plain) != kPlainMessages.end()) return std::string(plain);
  if (is_function_message(message_)) return message_;
  return sqlite3_errstr(result);
}

}  // namespace walrelay::sinks
