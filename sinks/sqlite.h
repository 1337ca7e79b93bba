// The one door to SQLite: its header, and an owner for each thing that it hands out.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string_view>

namespace walrelay::sinks::sqlite {

// Statements may outlive their connection: it goes with the last of them.
struct CloseConnection {
  void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Connection = std::unique_ptr<sqlite3, CloseConnection>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// Binds borrowed memory, which must stay until the statement is reset. An empty view is "", never NULL.
inline int bind_text(sqlite3_stmt* statement, int parameter, std::string_view text) {
  return sqlite3_bind_text64(statement, parameter, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                             SQLITE_UTF8);
}
inline int bind_blob(sqlite3_stmt* statement, int parameter, std::string_view bytes) {
  return sqlite3_bind_blob64(statement, parameter, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
}

// Gives a function's result as text; SQLite copies it.
inline void return_text(sqlite3_context* context, std::string_view text) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): SQLite's macro is a number in the place of a function
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

}  // namespace walrelay::sinks::sqlite
