// The user's own SQL with ids in it: what is a parameter, and what only looks like one.
#include "sidecar/document_sql.h"

#include <gtest/gtest.h>

namespace walrelay::sidecar {
namespace {

std::string one(std::string_view sql) { return with_arguments(sql, {"X", "Y"}); }

TEST(DocumentSql, ParametersAreReplaced) {
  EXPECT_EQ(one("SELECT $1, $2"), "SELECT X, Y");
  EXPECT_EQ(one("WHERE id = ANY ($1::bigint[])"), "WHERE id = ANY (X::bigint[])");
  EXPECT_EQ(one("$1"), "X");
  EXPECT_EQ(one("$3 $12 $0"), "$3 $12 $0") << "PostgreSQL will complain";
  EXPECT_EQ(one("a=$1AND"), "a=XAND");
}

TEST(DocumentSql, WhatOnlyLooksLikeThemStays) {
  for (const char* sql : {"'$1'", "'it''s $1'", "E'a\\'$1'", "e'a''\\'$1 '", "\"$1\"", "\"a\"\"$1\"", "-- $1",
                          "/* $1 */", "/* a /* $1 */ $1 */", "$$ $1 $$", "$f$ $1 $$ $1 $f$", "col$1", "name_E'$1'"}) {
    EXPECT_EQ(one(sql), sql);
  }
  EXPECT_EQ(one("'a\\' || $1"), "'a\\' || X") << "a backslash is no escape in a plain string";
  EXPECT_EQ(one("-- $1\n$1"), "-- $1\nX");
  EXPECT_EQ(one("/* $1 */$1"), "/* $1 */X");
  EXPECT_EQ(one("$f$ $1 $f$$1"), "$f$ $1 $f$X");
  EXPECT_EQ(one("'unclosed $1"), "'unclosed $1");
}

TEST(DocumentSql, IdsBecomeOneArrayAColumn) {
  EXPECT_EQ(array_literals({{"1"}, {"2"}}, 1), std::vector<std::string>{"'{\"1\",\"2\"}'"});
  EXPECT_EQ(array_literals({{"1", "it's"}, {"2", ""}}, 2),
            (std::vector<std::string>{"'{\"1\",\"2\"}'", "'{\"it''s\",\"\"}'"}));
  EXPECT_EQ(array_literals({{"a\"b\\c"}}, 1), std::vector<std::string>{R"( E'{"a\\"b\\\\c"}')"});
  EXPECT_EQ(array_literals({}, 1), std::vector<std::string>{"'{}'"});
}

TEST(DocumentSql, TheStatements) {
  sinks::DocumentSpec document;
  document.id = {"id"};
  document.query = "SELECT id, value FROM t WHERE id = ANY ($1) -- end";
  EXPECT_EQ(document_sql(document, {{"7"}}),
            "SELECT q.\"id\", q.\"value\" FROM (SELECT id, value FROM t WHERE id = ANY ('{\"7\"}') -- end\n) AS q");
  EXPECT_EQ(range_sql(document, "ONLY \"public\".\"t\"", "true"),
            "SELECT r.\"id\", q.\"value\" FROM (SELECT \"id\" FROM ONLY \"public\".\"t\" WHERE true) AS r LEFT JOIN "
            "(SELECT id, value FROM t WHERE id = ANY ((ARRAY(SELECT \"id\" FROM ONLY \"public\".\"t\" WHERE true "
            "ORDER BY \"id\"))) -- end\n) AS q ON q.\"id\" = r.\"id\"");
}

}  // namespace
}  // namespace walrelay::sidecar
