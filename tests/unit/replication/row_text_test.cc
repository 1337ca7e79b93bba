// Tuples to rows: the four states of a value, views that stay valid, and rows that do not fit.
#include "replication/row_text.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"

namespace walrelay::replication {
namespace {

using support::Bytes;
using Columns = std::vector<pgoutput::TupleColumn>;

class RowTextTest : public testing::Test {
 protected:
  Relation relation(const std::vector<Oid>& types) {
    Relation made;
    made.schema = "public";
    made.name = "t";
    for (const Oid oid : types) {
      RelationColumn column;
      column.name = "c" + std::to_string(made.columns.size());
      column.identity = made.columns.empty();
      column.type_oid = oid;
      column.type = catalog_.find(oid);
      made.columns.push_back(column);
    }
    return made;
  }

  TypeCatalog catalog_;
  RowText row_;
};

TEST_F(RowTextTest, TextIsBorrowed) {
  const std::string bytes = "value";
  const auto row = row_.decode(relation({25}), Columns{{'t', bytes}}, false, nullptr);
  ASSERT_EQ(row.size(), 1U);
  EXPECT_EQ(row[0].state, ValueState::text);
  EXPECT_EQ(row[0].text.data(), bytes.data());
}

TEST_F(RowTextTest, StatesOfAValue) {
  const auto row =
      row_.decode(relation({25, 25, 25, 25}), Columns{{'n', {}}, {'u', {}}, {'t', ""}, {'n', {}}}, false, nullptr);
  EXPECT_EQ(row[0].state, ValueState::null);
  EXPECT_EQ(row[1].state, ValueState::unchanged);
  EXPECT_EQ(row[2].state, ValueState::text);
  EXPECT_EQ(row[2].text, "");
  EXPECT_EQ(row[3].state, ValueState::null);
}

TEST_F(RowTextTest, OutsideTheKeyOfAKeyOnlyRowNothingIsKnown) {
  const auto row = row_.decode(relation({25, 25}), Columns{{'n', {}}, {'n', {}}}, true, nullptr);
  EXPECT_EQ(row[0].state, ValueState::null) << "an identity column";
  EXPECT_EQ(row[1].state, ValueState::absent);
}

TEST_F(RowTextTest, StatesDoNotOutliveTheirRow) {
  const auto table = relation({23, 25});
  row_.decode(table, Columns{{'b', std::string_view("\0\0\0\1", 4)}, {'u', {}}}, false, nullptr);
  const auto row = row_.decode(table, Columns{{'n', {}}, {'t', "x"}}, false, nullptr);
  EXPECT_EQ(row[0].state, ValueState::null);
  EXPECT_EQ(row[0].text, "");
  EXPECT_EQ(row[1].text, "x");
}

// Every one of them grows the memory that the ones before stand in.
TEST_F(RowTextTest, ManyBinaryValuesOfOneRowStayValid) {
  const auto table = relation(std::vector<Oid>(300, 17));
  std::vector<std::string> bytes;
  Columns tuple;
  for (std::size_t i = 0; i < 300; ++i) bytes.emplace_back(i, 'A');
  for (const auto& value : bytes) tuple.push_back({'b', value});
  const auto row = row_.decode(table, tuple, false, nullptr);
  for (std::size_t i = 0; i < 300; ++i) {
    std::string expected = "\\x";
    for (std::size_t n = 0; n < i; ++n) expected += "41";
    ASSERT_EQ(row[i].text, expected);
  }
}

TEST_F(RowTextTest, ConvertsTextOfEveryFormat) {
  const auto latin1 = Encoding::make("LATIN1");
  const auto array = Bytes().u32(1).u32(0).u32(25).u32(2).u32(1).counted("\xE9").counted("a b").str();
  const auto jsonb = std::string("\1\"\xFC\"");
  const auto row =
      row_.decode(relation({25, 25, 1009, 3802, 23, 18}),
                  Columns{{'t', "caf\xE9"}, {'b', "\xE0 la"}, {'b', array}, {'b', jsonb}, {'t', "12"}, {'b', "\xE9"}},
                  false, latin1.get());
  EXPECT_EQ(row[0].text, "café");
  EXPECT_EQ(row[1].text, "à la");
  EXPECT_EQ(row[2].text, "{é,\"a b\"}");
  EXPECT_EQ(row[3].text, "\"ü\"");
  EXPECT_EQ(row[4].text, "12");
  EXPECT_EQ(row[5].text, "\\351") << "octal digits are no letters to convert";
}

TEST_F(RowTextTest, AsciiIsBorrowedAlsoWithAnEncoding) {
  const auto latin1 = Encoding::make("LATIN1");
  const std::string bytes = "plain";
  EXPECT_EQ(row_.decode(relation({25}), Columns{{'t', bytes}}, false, latin1.get())[0].text.data(), bytes.data());
}

TEST_F(RowTextTest, RefusesRowsThatDoNotFit) {
  const auto table = relation({25, 23});
  EXPECT_THROW(row_.decode(table, Columns{{'t', "x"}}, false, nullptr), ProtocolError);
  EXPECT_THROW(row_.decode(table, Columns{{'t', "x"}, {'n', {}}, {'n', {}}}, false, nullptr), ProtocolError);
  EXPECT_THROW(row_.decode(table, Columns{{'t', "x"}, {'b', "abc"}}, false, nullptr), ProtocolError);
  EXPECT_THROW(row_.decode(relation({99999}), Columns{{'b', "x"}}, false, nullptr), ProtocolError) << "unknown type";
  EXPECT_THROW(row_.decode(relation({600}), Columns{{'b', "0123456789abcdef"}}, false, nullptr), ProtocolError);
  EXPECT_EQ(row_.decode(relation({99999}), Columns{{'t', "(1,2)"}}, false, nullptr)[0].text, "(1,2)")
      << "text needs no type";
}

TEST_F(RowTextTest, SaysWhichRelationDidNotFit) {
  try {
    row_.decode(relation({25, 23}), Columns{{'t', "secret"}}, false, nullptr);
    FAIL();
  } catch (const ProtocolError& error) {
    EXPECT_STREQ(error.what(), "PostgreSQL sent a row of 1 columns for public.t, which has 2.");
  }
}

TEST_F(RowTextTest, RelationWithoutColumns) { EXPECT_TRUE(row_.decode(relation({}), {}, false, nullptr).empty()); }

}  // namespace
}  // namespace walrelay::replication
