#include "sinks/expression_program.h"

#include <set>
#include <stdexcept>

#include "sinks/expression_text.h"

namespace walrelay::sinks {
namespace {

// Writes the statement; see the picture in the header.
class Writing {
 public:
  Writing(const ExpressionSources& sources, const std::vector<std::size_t>& wanted) : sources_(sources) {
    for (const std::size_t column : wanted) need(column);
    write_parameters();
    for (const std::size_t let : lets_) write_let(let);
    const char* separator = " SELECT ";
    for (const std::size_t column : wanted) {
      sql_ += separator + value_of(column);
      separator = ", ";
    }
    sql_ += from();
  }
  [[nodiscard]] const std::string& sql() const { return sql_; }
  [[nodiscard]] const std::set<std::size_t>& columns() const { return columns_; }
  [[nodiscard]] const std::set<std::size_t>& captures() const { return captures_; }

 private:
  // A let comes before all that use it, and it has a smaller number.
  void need(std::size_t place) {
    const VirtualColumn& column = sources_.columns[place];
    if (!column.name.empty() && !lets_.insert(place).second) return;
    columns_.insert(column.columns.begin(), column.columns.end());
    captures_.insert(column.captures.begin(), column.captures.end());
    for (const std::size_t let : column.lets) need(let);
  }

  void write_parameters() {
    sql_ = "WITH \"let 0\" AS (SELECT ";
    std::size_t parameter = 0;
    const auto write = [this, &parameter](const std::string& name) {
      sql_ += (parameter == 0 ? "?" : ", ?") + std::to_string(parameter + 1) + " AS " + quoted_name(name);
      ++parameter;
      visible_.push_back(name);
    };
    for (const std::size_t column : columns_) write(sources_.relation.columns[column].name);
    for (const std::size_t capture : captures_) write(sources_.captures[capture].first);
    sql_ += parameter == 0 ? "NULL)" : ")";
  }

  void write_let(std::size_t place) {
    const VirtualColumn& let = sources_.columns[place];
    // It hides a column of its name.
    std::erase_if(visible_, [&let](const std::string& name) { return folded(name) == folded(let.name); });
    std::string selected;
    for (const std::string& name : visible_) selected += quoted_name(name) + ", ";
    selected += "(" + let.sql + "\n) AS " + quoted_name(let.name) + from();
    sql_ += ", \"let " + std::to_string(++written_) + "\" AS (SELECT " + selected + ")";
    visible_.push_back(let.name);
  }

  [[nodiscard]] std::string value_of(std::size_t place) const {
    const VirtualColumn& column = sources_.columns[place];
    return column.name.empty() ? "(" + column.sql + "\n)" : quoted_name(column.name);
  }
  [[nodiscard]] std::string from() const { return " FROM \"let " + std::to_string(written_) + "\" AS row"; }

  const ExpressionSources& sources_;
  std::set<std::size_t> columns_, captures_, lets_;
  std::vector<std::string> visible_;
  std::size_t written_ = 0;
  std::string sql_;
};

}  // namespace

ExpressionProgram::ExpressionProgram(const ExpressionSources& sources, const std::vector<std::size_t>& wanted)
    : wanted_(wanted) {
  const Writing writing(sources, wanted);
  prepare(writing.sql());
  for (const std::size_t column : writing.columns()) {
    reads_.push_back(column);
    types_.push_back(sources.relation.columns[column].type);
  }
  int parameter = static_cast<int>(reads_.size());
  for (const std::size_t capture : writing.captures()) {
    sqlite::bind_text(statement_.get(), ++parameter, sources.captures[capture].second);
  }
}

void ExpressionProgram::prepare(const std::string& sql) {
  sqlite3* const connection = ExpressionEngine::of_thread().computing();
  sqlite3_stmt* prepared = nullptr;
  const int result = sqlite3_prepare_v3(connection, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  statement_.reset(prepared);
  if (result != SQLITE_OK) throw std::invalid_argument(sqlite3_errmsg(connection));
  const bool as_written = sqlite3_column_count(prepared) == static_cast<int>(wanted_.size());
  if (!as_written || sqlite3_stmt_readonly(prepared) == 0) throw std::invalid_argument("it is more than an expression");
}

std::string ExpressionProgram::run(replication::Row row, RewrittenTexts& rewritten, ComputedValues& out) {
  ExpressionEngine& engine = ExpressionEngine::of_thread();
  int result = bind(row, rewritten);
  if (result == SQLITE_OK) {
    result = engine.run(statement_.get(), [this, &out](sqlite3_stmt* statement) { take(statement, out); });
  }
  return result == SQLITE_ROW ? std::string() : engine.failure(result);
}

int ExpressionProgram::bind(replication::Row row, RewrittenTexts& rewritten) {
  std::size_t most = 0;
  for (const std::size_t column : reads_) most += row[column].text.size();
  rewritten.begin(most);
  for (std::size_t i = 0; i < reads_.size(); ++i) {
    const replication::Value& value = row[reads_[i]];
    const int parameter = static_cast<int>(i + 1);
    const int result = value.has_text() ? bind_value(statement_.get(), parameter, types_[i], value.text, rewritten)
                                        : sqlite3_bind_null(statement_.get(), parameter);
    if (result != SQLITE_OK) return result;
  }
  return SQLITE_OK;
}

void ExpressionProgram::take(sqlite3_stmt* statement, ComputedValues& out) const {
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    const int column = static_cast<int>(i);
    const int type = sqlite3_column_type(statement, column);
    const std::size_t begin = out.bytes.size();
    if (type == SQLITE_INTEGER) {
      append_number(out.bytes, std::int64_t{sqlite3_column_int64(statement, column)});
    } else if (type == SQLITE_FLOAT) {
      append_number(out.bytes, sqlite3_column_double(statement, column));
    } else if (type != SQLITE_NULL) {
      // As it lies there: SQLite would copy a text to put a zero byte behind it.
      const void* const bytes = sqlite3_column_blob(statement, column);
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
      if (size > 0) out.bytes.append(static_cast<const char*>(bytes), size);
    }
    const bool number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
    out.values.push_back({wanted_[i], type == SQLITE_NULL, number, begin, out.bytes.size() - begin});
  }
}

}  // namespace walrelay::sinks
