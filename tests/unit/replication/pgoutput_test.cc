// Every message of pgoutput: its fields, and that nothing but the whole message is accepted.
#include "replication/pgoutput.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"

namespace walrelay::replication::pgoutput {
namespace {

using support::Bytes;

constexpr std::int64_t kEpochUs = 946'684'800'000'000;

std::string show(Tuple tuple) {
  std::string out = "(";
  for (const auto& column : tuple) {
    if (out.size() > 1) out += ", ";
    out += column.kind;
    if (column.kind == 't' || column.kind == 'b') out.append(":").append(column.bytes);
  }
  return out + ")";
}

// One line a message, with every field: what the tables below compare.
struct Show {
  std::string operator()(const Begin& m) const {
    return "Begin " + to_string(m.final_lsn) + " " + std::to_string(m.commit_time_us - kEpochUs) + " " +
           std::to_string(m.xid);
  }
  std::string operator()(const Commit& m) const {
    return "Commit " + std::to_string(m.flags) + " " + to_string(m.commit) + " " + to_string(m.end) + " " +
           std::to_string(m.commit_time_us - kEpochUs);
  }
  std::string operator()(const Origin& m) const { return "Origin " + to_string(m.commit) + " " + std::string(m.name); }
  std::string operator()(const RelationMessage& m) const {
    auto out = "Relation " + std::to_string(m.oid) + " " + std::string(m.schema) + "." + std::string(m.name) + " " +
               static_cast<char>(m.identity);
    for (const auto& column : m.columns) {
      out += std::string(column.identity ? " *" : " ") + std::string(column.name) + ":" + std::to_string(column.type) +
             ":" + std::to_string(column.modifier);
    }
    return out;
  }
  std::string operator()(const Type& m) const {
    return "Type " + std::to_string(m.oid) + " " + std::string(m.schema) + "." + std::string(m.name);
  }
  std::string operator()(const Insert& m) const {
    return "Insert " + std::to_string(m.relation) + " " + show(m.new_tuple);
  }
  std::string operator()(const Update& m) const {
    const auto old = m.old_kind == 0 ? std::string("-") : std::string(1, m.old_kind) + show(m.old_tuple);
    return "Update " + std::to_string(m.relation) + " " + old + " " + show(m.new_tuple);
  }
  std::string operator()(const Delete& m) const {
    return "Delete " + std::to_string(m.relation) + " " + m.old_kind + show(m.old_tuple);
  }
  std::string operator()(const Truncate& m) const {
    std::string out = "Truncate";
    for (const Oid relation : m.relations) out += " " + std::to_string(relation);
    return out + (m.cascade ? " cascade" : "") + (m.restart_identity ? " restart" : "");
  }
  std::string operator()(const LogicalMessage& m) const {
    return std::string("Message ") + (m.transactional ? "in " : "out ") + to_string(m.position) + " " +
           std::string(m.prefix) + " " + std::string(m.content);
  }
};

struct MessageCase {
  const char* name;
  std::string bytes;
  std::string shown;
};

const std::vector<MessageCase>& messages() {
  static const std::vector<MessageCase> cases = {
      {"Begin", Bytes("B").u64(0x16B374D848).i64(77).u32(4294967295), "Begin 16/B374D848 77 4294967295"},
      {"Commit", Bytes("C").u8(0).u64(0x10).u64(0x20).i64(-5), "Commit 0 0/10 0/20 -5"},
      {"Origin", Bytes("O").u64(0x30).cstring("upstream"), "Origin 0/30 upstream"},
      {"OriginWithoutName", Bytes("O").u64(0x30).cstring(""), "Origin 0/30 "},
      {"Relation",
       Bytes("R")
           .u32(16385)
           .cstring("public")
           .cstring("users")
           .raw("d")
           .u16(2)
           .u8(1)
           .cstring("id")
           .u32(23)
           .i32(-1)
           .u8(0)
           .cstring("name")
           .u32(1043)
           .i32(24),
       "Relation 16385 public.users d *id:23:-1 name:1043:24"},
      {"RelationOfCatalog", Bytes("R").u32(1259).cstring("").cstring("pg_class").raw("n").u16(0),
       "Relation 1259 .pg_class n"},
      {"RelationFull",
       Bytes("R").u32(4294967295).cstring("s").cstring("t").raw("f").u16(1).u8(1).cstring("a b\n").u32(25).i32(-1),
       "Relation 4294967295 s.t f *a b\n:25:-1"},
      {"RelationIndex", Bytes("R").u32(7).cstring("s").cstring("t").raw("i").u16(1).u8(0).cstring("").u32(25).i32(-1),
       "Relation 7 s.t i :25:-1"},
      {"Type", Bytes("Y").u32(16390).cstring("public").cstring("mood"), "Type 16390 public.mood"},
      {"Insert", Bytes("I").u32(5).raw("N").u16(4).text("one").null().unchanged().binary("\1\2"),
       "Insert 5 (t:one, n, u, b:\1\2)"},
      {"InsertEmptyText", Bytes("I").u32(5).raw("N").u16(1).text(""), "Insert 5 (t:)"},
      {"InsertNoColumns", Bytes("I").u32(5).raw("N").u16(0), "Insert 5 ()"},
      {"Update", Bytes("U").u32(5).raw("N").u16(2).text("1").unchanged(), "Update 5 - (t:1, u)"},
      {"UpdateOfKey", Bytes("U").u32(5).raw("K").u16(2).text("1").null().raw("N").u16(2).text("2").text("x"),
       "Update 5 K(t:1, n) (t:2, t:x)"},
      {"UpdateFull", Bytes("U").u32(5).raw("O").u16(1).text("1").raw("N").u16(1).null(), "Update 5 O(t:1) (n)"},
      {"DeleteByKey", Bytes("D").u32(5).raw("K").u16(2).text("1").null(), "Delete 5 K(t:1, n)"},
      {"DeleteFull", Bytes("D").u32(5).raw("O").u16(1).binary(""), "Delete 5 O(b:)"},
      {"Truncate", Bytes("T").u32(1).u8(0).u32(9), "Truncate 9"},
      {"TruncateCascade", Bytes("T").u32(3).u8(1).u32(9).u32(8).u32(7), "Truncate 9 8 7 cascade"},
      {"TruncateRestart", Bytes("T").u32(1).u8(2).u32(9), "Truncate 9 restart"},
      {"TruncateBoth", Bytes("T").u32(1).u8(3).u32(9), "Truncate 9 cascade restart"},
      {"MessageInTransaction", Bytes("M").u8(1).u64(0x40).cstring("prefix").counted("content"),
       "Message in 0/40 prefix content"},
      {"MessageAlone", Bytes("M").u8(0).u64(0x40).cstring("").counted(""), "Message out 0/40  "},
  };
  return cases;
}

class EveryMessage : public testing::TestWithParam<MessageCase> {};

TEST_P(EveryMessage, IsDecoded) {
  Decoder decoder;
  EXPECT_EQ(std::visit(Show{}, decoder.decode(GetParam().bytes)), GetParam().shown);
}

TEST_P(EveryMessage, ThrowsForEveryPrefix) {
  Decoder decoder;
  for (std::size_t size = 0; size < GetParam().bytes.size(); ++size) {
    // A copy of exactly that size, so that AddressSanitizer sees a read beyond it.
    const std::string prefix(GetParam().bytes, 0, size);
    EXPECT_THROW(decoder.decode(prefix), ProtocolError) << size << " of " << GetParam().bytes.size();
  }
}

TEST_P(EveryMessage, ThrowsForOneByteMore) {
  Decoder decoder;
  EXPECT_THROW(decoder.decode(GetParam().bytes + '\0'), ProtocolError);
  EXPECT_THROW(decoder.decode(GetParam().bytes + 'n'), ProtocolError);
}

TEST_P(EveryMessage, IsDecodedAfterAFailure) {
  Decoder decoder;
  EXPECT_THROW(decoder.decode("?"), ProtocolError);
  EXPECT_EQ(std::visit(Show{}, decoder.decode(GetParam().bytes)), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(Pgoutput, EveryMessage, testing::ValuesIn(messages()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Decoder, RefusesEveryUnknownTag) {
  Decoder decoder;
  const std::string known = "BCORYIUDTM";
  for (int byte = 0; byte < 256; ++byte) {
    const char tag = static_cast<char>(byte);
    if (known.find(tag) != std::string::npos) continue;
    EXPECT_THROW(decoder.decode(std::string(1, tag)), ProtocolError) << byte;
    EXPECT_THROW(decoder.decode(std::string(1, tag) + std::string(40, '\0')), ProtocolError) << byte;
  }
}

TEST(Decoder, RefusesUndefinedValues) {
  const std::vector<std::pair<const char*, std::string>> cases = {
      {"commit flags", Bytes("C").u8(1).u64(1).u64(2).i64(3)},
      {"relation identity", Bytes("R").u32(1).cstring("s").cstring("t").raw("x").u16(0)},
      {"column flags", Bytes("R").u32(1).cstring("s").cstring("t").raw("d").u16(1).u8(2).cstring("c").u32(1).i32(1)},
      {"insert without N", Bytes("I").u32(1).raw("K").u16(0)},
      {"update tag", Bytes("U").u32(1).raw("X").u16(0)},
      {"update without new row", Bytes("U").u32(1).raw("K").u16(0).raw("K").u16(0)},
      {"delete of a new row", Bytes("D").u32(1).raw("N").u16(0)},
      {"column kind", Bytes("I").u32(1).raw("N").u16(1).raw("x")},
      {"negative length", Bytes("I").u32(1).raw("N").u16(1).raw("t").i32(-1)},
      {"huge length", Bytes("I").u32(1).raw("N").u16(1).raw("t").i32(0x7FFFFFFF)},
      {"huge truncate", Bytes("T").u32(0xFFFFFFFF).u8(0).u32(1)},
      {"truncate options", Bytes("T").u32(0).u8(4)},
      {"message flags", Bytes("M").u8(2).u64(1).cstring("").counted("")},
      {"streamed begin", Bytes("S").u32(1).u8(1)},
      {"prepare", Bytes("P").u8(0).u64(1).u64(1).u64(1).u32(1).cstring("gid")},
  };
  Decoder decoder;
  for (const auto& [name, bytes] : cases) EXPECT_THROW(decoder.decode(bytes), ProtocolError) << name;
}

TEST(Decoder, BorrowsTheBytes) {
  const std::string bytes = Bytes("I").u32(5).raw("N").u16(1).text("value");
  Decoder decoder;
  const auto& insert = std::get<Insert>(decoder.decode(bytes));
  EXPECT_EQ(insert.new_tuple[0].bytes.data() + 5, bytes.data() + bytes.size());
}

}  // namespace
}  // namespace walrelay::replication::pgoutput
