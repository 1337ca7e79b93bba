// DDL of the workload: columns come and go, change names and types; tables are dropped and made anew.
#include <algorithm>

#include "tests/support/random_statements.h"

namespace walrelay::support {

std::vector<std::string> RandomStatements::definition(SqlConnection& connection, bool inexact_types) {
  if (random_.chance(0.25)) return made_anew();
  static const std::string tables[] = {"items", "items", "docs", "events", "ledger"};
  const std::string table = random_.one_of(tables);
  std::vector<std::string> columns;
  const auto found =
      connection.run("SELECT attname FROM pg_attribute WHERE attrelid = " + quoted(table) +
                     "::regclass AND attnum > 0 AND NOT attisdropped AND attname LIKE 'x%' ORDER BY attname");
  for (const auto& row : found.rows) columns.push_back(*row[0]);
  return {column_change(table, columns, inexact_types && table != "docs")};
}

std::string RandomStatements::column_change(const std::string& table, const std::vector<std::string>& columns,
                                            bool inexact_types) {
  const std::string alter = "ALTER TABLE " + table;
  const std::string fresh = "x" + std::to_string(random_.below(6));
  const bool taken = std::find(columns.begin(), columns.end(), fresh) != columns.end();
  if (columns.empty() || (!taken && random_.chance(0.4))) {
    static const std::string types[] = {
        "int", "int DEFAULT 7", "text DEFAULT 'given'", "text", "bigint DEFAULT random() * 1000", "varchar(20)"};
    if (inexact_types && random_.chance(0.1)) return alter + " ADD COLUMN " + fresh + " point DEFAULT '(1,2)'";
    return alter + " ADD COLUMN " + fresh + " " + random_.one_of(types);
  }
  const std::string column = random_.one_of(columns);
  switch (random_.below(4)) {
    case 0:
      return alter + " RENAME COLUMN " + column + " TO " + fresh;
    case 1: {
      const std::string use = " TYPE bigint USING CASE WHEN " + column + "::text ~ '^[0-9]{1,6}$' THEN " + column +
                              "::text::bigint * 2 + 1 END";
      return alter + " ALTER COLUMN " + column + " DROP DEFAULT, ALTER COLUMN " + column +
             (random_.chance(0.5) ? use : " TYPE text");
    }
    case 2:
      return alter + " DROP COLUMN " + column + ", ADD COLUMN " + column + " text DEFAULT 'again'";
    default:
      return alter + " DROP COLUMN " + column;
  }
}

std::vector<std::string> RandomStatements::made_anew() {
  const bool together = random_.chance(0.5);
  const std::string table = together ? "churn_1" : "churn_2";
  const std::string more = random_.chance(0.5) ? ", extra text DEFAULT 'new'" : "";
  const std::string drop = "DROP TABLE IF EXISTS " + table;
  const std::string make =
      "CREATE TABLE " + table + " (id int PRIMARY KEY, version bigint NOT NULL, body text" + more + ")";
  const std::string fill = "INSERT INTO " + table +
                           " (id, version, body) SELECT id, nextval('versions'), 'first' FROM "
                           "generate_series(1, 4) id";
  if (together) return {"BEGIN; " + drop + "; " + make + "; " + fill + "; COMMIT"};
  return {drop, "BEGIN; " + make + "; " + fill + "; COMMIT"};
}

}  // namespace walrelay::support
