#include "sinks/expression_check.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string_view>

#include "sinks/expression_engine.h"
#include "sinks/nearest_name.h"

namespace walrelay::sinks {
namespace {

constexpr char kTable[] = "the row";
// A table without rowid (which would be one more name) needs a primary key. No column of PostgreSQL is so long.
const std::string kKey(100, 'k');

// What SQLite asks permission for while it prepares an expression.
class Permissions {
 public:
  explicit Permissions(const ExpressionEngine& engine) : engine_(engine) {
    sqlite3_set_authorizer(engine_.checking(), ask, this);
  }
  ~Permissions() { sqlite3_set_authorizer(engine_.checking(), nullptr, nullptr); }
  Permissions(const Permissions&) = delete;
  Permissions& operator=(const Permissions&) = delete;

  [[nodiscard]] const std::set<std::string>& read() const { return read_; }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }  // empty: nothing was refused

 private:
  static int ask(void* self, int action, const char* first, const char* second, const char*, const char*) noexcept {
    const auto text = [](const char* argument) { return std::string(argument == nullptr ? "" : argument); };
    try {
      auto& permissions = *static_cast<Permissions*>(self);
      permissions.decide(action, text(first), text(second));
      return permissions.refusal_.empty() ? SQLITE_OK : SQLITE_DENY;
    } catch (const std::exception&) {  // no memory
      return SQLITE_DENY;
    }
  }

  void decide(int action, const std::string& first, const std::string& second) {
    if (action == SQLITE_READ) {
      decide_read(folded(first), second);
    } else if (action == SQLITE_FUNCTION) {
      decide_function(folded(second));
    } else if (action == SQLITE_RECURSIVE) {
      refusal_ = "a recursive query may never end";
    } else if (action != SQLITE_SELECT) {
      refusal_ = "a subquery may only read json_each() and json_tree()";
    }
  }

  void decide_read(const std::string& table, const std::string& column) {
    if (table == kTable) {
      if (!column.empty()) read_.insert(folded(column));
    } else if (table.starts_with("sqlite_") || table.starts_with("pragma_")) {
      refusal_ = "there is no table \"" + table + "\" here; a subquery may only read json_each() and json_tree()";
    }
  }

  void decide_function(const std::string& name) {
    if (!engine_.forbids(name)) return;
    const bool clock = name.starts_with("current_");
    refusal_ =
        name + (clock ? " reads the clock" : "() may not be used") + "; the same row must give the same value for ever";
  }

  const ExpressionEngine& engine_;
  std::set<std::string> read_;
  std::string refusal_;
};

void execute(const ExpressionEngine& engine, const std::string& sql) {
  if (sqlite3_exec(engine.checking(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return;
  throw std::invalid_argument(std::string("SQLite cannot take its names: ") + sqlite3_errmsg(engine.checking()));
}

// The table, as long as the object lives. Its columns are those names of the scope that stand in the expression, so
// that any relation fits, however wide it is.
class RowTable {
 public:
  RowTable(const ExpressionEngine& engine, const ExpressionText& expression, const ExpressionScope& scope)
      : engine_(engine) {
    std::string sql = "CREATE TABLE \"" + std::string(kTable) + "\"(";
    for (const auto& [name, count] : expression.names) {
      if (scope.find(name) != nullptr) sql += quoted_name(name) + ", ";
    }
    execute(engine_, sql + kKey + " PRIMARY KEY) WITHOUT ROWID");
  }
  ~RowTable() { sqlite3_exec(engine_.checking(), "DROP TABLE \"the row\"", nullptr, nullptr, nullptr); }
  RowTable(const RowTable&) = delete;
  RowTable& operator=(const RowTable&) = delete;

 private:
  const ExpressionEngine& engine_;
};

// The rest of a message that begins so; empty: it begins otherwise.
std::string_view after(std::string_view message, std::string_view beginning) {
  return message.starts_with(beginning) ? message.substr(beginning.size()) : std::string_view();
}

// What an expression is explained by.
struct Surroundings {
  const ExpressionEngine& engine;
  const ExpressionText& expression;
  const ExpressionScope& scope;
  const std::vector<std::string>& later;
};

std::string unknown_name(std::string_view name, const Surroundings& around) {
  constexpr std::string_view kRow = "row.";
  if (name.starts_with(kRow)) name.remove_prefix(kRow.size());
  if (name.starts_with('"')) name = name.substr(1, name.rfind('"') - 1);  // newer releases quote it and ask
  const bool comes_later = std::any_of(around.later.begin(), around.later.end(),
                                       [name](const std::string& let) { return folded(let) == folded(name); });
  if (comes_later) return "the let \"" + std::string(name) + "\" is not known yet; a let may use those before it";
  std::string hint = did_you_mean(name, around.scope.all());
  const bool quoted = around.expression.sql.find(quoted_name(name)) != std::string::npos;
  if (hint.empty() && quoted) hint = "; a text stands in single quotes";
  return "there is no column \"" + std::string(name) + "\"" + hint;
}

// "max()" of "misuse of aggregate function max()" and "misuse of aggregate: max()"
std::string last_word(std::string_view message) { return std::string(message.substr(message.rfind(' ') + 1)); }

std::string explain(std::string_view message, const Surroundings& around, bool at_end) {
  if (const auto name = after(message, "no such column: "); !name.empty()) return unknown_name(name, around);
  if (const auto name = after(message, "no such function: "); !name.empty()) {
    return "there is no function \"" + std::string(name) + "\"" + did_you_mean(name, around.engine.functions());
  }
  if (const auto name = after(message, "no such table: "); !name.empty()) {
    return "there is no table \"" + std::string(name) + "\" here; a subquery may only read json_each() and json_tree()";
  }
  if (message.starts_with("misuse of aggregate")) {
    return last_word(message) +
           " is an aggregate, and an expression sees one row; aggregates belong into a subquery, as in " +
           "(SELECT max(value) FROM json_each(a)), and the greater of two values is max(a, b)";
  }
  if (message.starts_with("misuse of window function")) {
    return last_word(message) + " is a window function, and an expression sees one row";
  }
  if (at_end && message.ends_with("syntax error")) return "the expression ends too early";
  return std::string(message);
}

}  // namespace

std::vector<std::string> names_read(const ExpressionText& expression, const ExpressionScope& scope,
                                    const std::vector<std::string>& later) {
  const ExpressionEngine& engine = ExpressionEngine::of_thread();
  const Surroundings around{engine, expression, scope, later};
  const RowTable table(engine, expression, scope);
  const Permissions permissions(engine);
  const std::string beginning = "SELECT 1 FROM \"the row\" AS row WHERE (" + expression.sql + "\n";
  const std::string sql = beginning + ")";
  sqlite3_stmt* prepared = nullptr;
  const char* rest = nullptr;
  const int result = sqlite3_prepare_v2(engine.checking(), sql.c_str(), -1, &prepared, &rest);
  const sqlite::Statement statement(prepared);
  if (!permissions.refusal().empty()) throw std::invalid_argument(permissions.refusal());
  if (result != SQLITE_OK) {
    const bool at_end = sqlite3_error_offset(engine.checking()) == static_cast<int>(beginning.size());
    throw std::invalid_argument(explain(sqlite3_errmsg(engine.checking()), around, at_end));
  }
  if (rest != sql.c_str() + sql.size()) throw std::invalid_argument("there is more than one expression");
  for (const std::string& name : permissions.read()) {
    const ExpressionScope::Name* const known = scope.find(name);
    if (known == nullptr) throw std::invalid_argument(unknown_name(name, around));
    if (known->places.size() == 1) continue;
    throw std::invalid_argument("\"" + name + "\" may be \"" + known->written[0] + "\" or \"" + known->written[1] +
                                "\"; an expression cannot tell capitals from small letters in names");
  }
  return {permissions.read().begin(), permissions.read().end()};
}

}  // namespace walrelay::sinks
