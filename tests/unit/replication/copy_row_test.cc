// Rows of COPY: what PostgreSQL's escapes mean, generated rows there and back, and what is refused.
#include "replication/copy_row.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "tests/support/bytes.h"

namespace walrelay::replication {
namespace {

using support::Bytes;
using Values = std::vector<std::optional<std::string>>;

Relation relation(const TypeCatalog& catalog, const std::vector<Oid>& types) {
  Relation made;
  made.schema = "public";
  made.name = "t";
  for (const Oid oid : types) {
    RelationColumn column;
    column.name = "c" + std::to_string(made.columns.size());
    column.type_oid = oid;
    column.type = catalog.find(oid);
    made.columns.push_back(column);
  }
  return made;
}

Values values_of(Row row) {
  Values values;
  for (const auto& value : row) {
    EXPECT_TRUE(value.state == ValueState::text || value.state == ValueState::null);
    values.push_back(value.has_text() ? std::optional<std::string>(value.text) : std::nullopt);
  }
  return values;
}

const TypeCatalog kCatalog;

Relation texts(std::size_t columns) { return relation(kCatalog, std::vector<Oid>(columns, 25)); }

struct LineCase {
  std::string line;
  Values values;
};

TEST(CopyTextRow, MeansWhatCopyMeans) {
  CopyTextRow row;
  for (const auto& [line, values] : std::vector<LineCase>{
           {"a\tb\tc\n", {"a", "b", "c"}},
           {"\\N\n", {std::nullopt}},
           {"\n", {""}},
           {"\n", {}},
           {"\t\n", {"", ""}},
           {"\\N\t\\N\n", {std::nullopt, std::nullopt}},
           {"\\\\N\n", {"\\N"}},
           {"\\NN\n", {"NN"}},
           {"x\\N\n", {"xN"}},
           {"\\b\\f\\n\\r\\t\\v\\\\\n", {"\b\f\n\r\t\v\\"}},
           {"\\1\\12\\1234\\8\n", {"\1\nS48"}},
           {"\\777\n", {"\xFF"}},
           {"\\x4\\x41\\x414\\xg\\x\n", {"\4AA4xgx"}},
           {"\\a\\.\\'\n", {"a.'"}},
           {"a\\\tb\tc\n", {"a\tb", "c"}},  // a protected tab separates nothing
           {"a\\tb\t\\\\\n", {"a\tb", "\\"}},
           {"plain\twith\\\\slash\tplain\n", {"plain", "with\\slash", "plain"}},
           {"caf\xC3\xA9\n", {"café"}},
       }) {
    EXPECT_EQ(values_of(row.decode(texts(values.size()), line, nullptr)), values) << line;
  }
}

TEST(CopyTextRow, BorrowsWhatHasNoEscape) {
  CopyTextRow row;
  const std::string line = "abc\td\\te\tf\n";
  const auto values = row.decode(texts(3), line, nullptr);
  EXPECT_EQ(values[0].text.data(), line.data());
  EXPECT_EQ(values[2].text.data(), line.data() + 9);
}

TEST(CopyTextRow, RefusesWhatDoesNotFit) {
  CopyTextRow row;
  for (const char* line : {"", "a\tb", "a\n", "a\tb\tc\n", "a\nb\tc\n", "a\tb\n\n", "a\tb\\\n", "\\\n"}) {
    EXPECT_THROW(row.decode(texts(2), line, nullptr), ProtocolError) << line;
  }
  EXPECT_THROW(row.decode(texts(0), "a\n", nullptr), ProtocolError);
  EXPECT_THROW(row.decode(texts(0), "\t\n", nullptr), ProtocolError);
}

TEST(CopyTextRow, Converts) {
  const auto latin1 = Encoding::make("LATIN1");
  CopyTextRow row;
  EXPECT_EQ(values_of(row.decode(texts(3), "\xE9\tx\\t\xFC\tascii\n", latin1.get())), (Values{"é", "x\tü", "ascii"}));
}

// As COPY TO prints it; now and then with an escape that COPY FROM would read as well.
std::string print_line(const Values& values, std::mt19937_64& random) {
  static const std::string escaped = "\b\f\n\r\t\v\\";
  static const std::string letters = "bfnrtv\\";
  std::string line;
  for (const auto& value : values) {
    if (!line.empty() || &value != values.data()) line += '\t';
    if (!value) {
      line += "\\N";
      continue;
    }
    for (const char c : *value) {
      const auto at = escaped.find(c);
      if (at != std::string::npos) {
        line.append("\\").push_back(letters[at]);
      } else if (random() % 16 == 0) {
        char octal[8];
        std::snprintf(octal, sizeof octal, "\\%03o", static_cast<unsigned>(static_cast<unsigned char>(c)));
        line += octal;
      } else {
        line += c;
      }
    }
  }
  return line + "\n";
}

Values some_values(std::mt19937_64& random) {
  Values values(random() % 8);
  for (auto& value : values) {
    if (random() % 5 == 0) continue;
    value.emplace();
    for (auto size = random() % 20; size > 0; --size) {
      static const std::string special = "\b\f\n\r\t\v\\N.x07";
      value->push_back(random() % 2 == 0 ? special[random() % special.size()] : static_cast<char>(random()));
    }
  }
  return values;
}

TEST(CopyTextRow, ThereAndBack) {
  constexpr std::uint64_t kSeed = 20260102;
  std::mt19937_64 random(kSeed);
  CopyTextRow row;
  for (int i = 0; i < 20000; ++i) {
    const auto values = some_values(random);
    const auto line = print_line(values, random);
    ASSERT_EQ(values_of(row.decode(texts(values.size()), line, nullptr)), values) << "seed " << kSeed << ", row " << i;
  }
}

TEST(CopyTextRow, SurvivesAnyBytes) {
  constexpr std::uint64_t kSeed = 20260103;
  std::mt19937_64 random(kSeed);
  CopyTextRow row;
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string line;
    for (auto size = random() % 12; size > 0; --size) line.push_back("\\\t\nN0x7a"[random() % 8]);
    line.push_back('\n');
    try {
      EXPECT_EQ(row.decode(texts(2), line, nullptr).size(), 2U);
      ++accepted;
    } catch (const ProtocolError&) {
    }
  }
  EXPECT_GT(accepted, 100) << "seed " << kSeed;
}

const std::string kHeader = Bytes(std::string_view("PGCOPY\n\377\r\n\0", 11)).u32(0).u32(0);
const std::string kTrailer = Bytes().i16(-1);

class CopyBinary : public testing::Test {
 protected:
  std::optional<Values> decode(const std::string& data, const Encoding* encoding = nullptr) {
    const auto row = row_.decode(relation_, data, encoding);
    return row ? std::optional(values_of(*row)) : std::nullopt;
  }

  Relation relation_ = relation(kCatalog, {23, 25});
  CopyBinaryRow row_;
  const std::string first_ = Bytes().i16(2).counted(Bytes().i32(7).str()).counted("seven");
  const std::string second_ = Bytes().i16(2).i32(-1).i32(-1);
};

TEST_F(CopyBinary, HeaderWithTheFirstRow) {
  EXPECT_EQ(decode(kHeader + first_), (Values{"7", "seven"}));
  EXPECT_EQ(decode(second_), (Values{std::nullopt, std::nullopt}));
  EXPECT_FALSE(row_.ended());
  EXPECT_EQ(decode(kTrailer), std::nullopt);
  EXPECT_TRUE(row_.ended());
}

TEST_F(CopyBinary, HeaderAlone) {
  EXPECT_EQ(decode(kHeader), std::nullopt);
  EXPECT_FALSE(row_.ended());
  EXPECT_EQ(decode(first_), (Values{"7", "seven"}));
}

TEST_F(CopyBinary, HeaderWithAnExtensionAndUncriticalFlags) {
  EXPECT_EQ(decode(Bytes(kHeader.substr(0, 11)).u32(0xFFFF).counted("extension").raw(first_)), (Values{"7", "seven"}));
}

TEST_F(CopyBinary, NoRows) {
  EXPECT_EQ(decode(kHeader + kTrailer), std::nullopt);
  EXPECT_TRUE(row_.ended());
}

TEST_F(CopyBinary, OneAfterTheOther) {
  decode(kHeader + first_);
  decode(kTrailer);
  EXPECT_EQ(decode(kHeader + first_), (Values{"7", "seven"}));
  EXPECT_FALSE(row_.ended());
  row_.reset();  // this one broke off
  EXPECT_EQ(decode(kHeader + first_), (Values{"7", "seven"}));
}

TEST_F(CopyBinary, Converts) {
  const auto latin1 = Encoding::make("LATIN1");
  EXPECT_EQ(decode(Bytes(kHeader).i16(2).i32(-1).counted("\xE9"), latin1.get()), (Values{std::nullopt, "é"}));
}

TEST_F(CopyBinary, EveryPrefixThrows) {
  const auto whole = kHeader + first_;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    if (size == kHeader.size()) continue;  // the header alone
    row_.reset();
    EXPECT_THROW(decode(whole.substr(0, size)), ProtocolError) << size;
  }
}

TEST_F(CopyBinary, RefusesWhatDoesNotFit) {
  decode(kHeader);
  for (const std::string& data : std::vector<std::string>{
           first_ + "x", kTrailer + "x", Bytes().i16(1).i32(-1), Bytes().i16(3).i32(-1).i32(-1).i32(-1),
           Bytes().i16(-2), Bytes().i16(2).i32(-2).i32(-1), Bytes().i16(2).counted("abc").i32(-1), kHeader + first_}) {
    EXPECT_THROW(decode(data), ProtocolError);
  }
  row_.reset();
  EXPECT_THROW(decode(first_), ProtocolError) << "without a header";
  EXPECT_THROW(decode(Bytes(kHeader.substr(0, 11)).u32(1 << 16).u32(0)), ProtocolError) << "a critical flag";
  EXPECT_THROW(decode(Bytes(kHeader.substr(0, 11)).u32(0).i32(-1)), ProtocolError);
}

}  // namespace
}  // namespace walrelay::replication
