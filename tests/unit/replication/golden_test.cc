// Streams recorded from a real server (golden/record.sh), decoded to rows: the text one and the binary one must say the
// same, which is written here statement by statement of golden/stream.sql.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <map>

#include "replication/pgoutput.h"
#include "replication/relation_message.h"
#include "replication/row_text.h"

namespace walrelay::replication {
namespace {

int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

std::vector<std::string> read_golden(const std::string& name) {
  std::ifstream file(std::string(SOURCE_DIRECTORY) + "/tests/unit/replication/golden/" + name);
  std::vector<std::string> messages;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() != ' ') messages.emplace_back();
    const auto byte_at = [&](std::size_t at) { return static_cast<char>(digit(line[at]) * 16 + digit(line[at + 1])); };
    const auto start = line.find_first_not_of(' ');
    if (const auto star = line.find('*'); star != std::string::npos) {
      messages.back().append(std::stoul(line.substr(star + 1)), byte_at(start));
    } else {
      for (std::size_t at = start; at < line.size(); at += 2) messages.back().push_back(byte_at(at));
    }
  }
  return messages;
}

// Follows a stream as the program does, and says each message in a line without what differs from recording to
// recording.
class Narrator {
 public:
  std::string tell(const std::string& bytes) {
    return std::visit([this](const auto& message) { return say(message); }, decoder_.decode(bytes));
  }

 private:
  static std::string say(const pgoutput::Begin& begin) {
    return begin.xid > 2 && begin.final_lsn != Lsn::invalid && begin.commit_time_us != 0 ? "begin" : "begin?";
  }
  static std::string say(const pgoutput::Commit& commit) { return commit.commit < commit.end ? "commit" : "commit?"; }
  static std::string say(const pgoutput::Origin& origin) {
    return "origin " + std::string(origin.name) + " " + to_string(origin.commit);
  }
  std::string say(const pgoutput::RelationMessage& message) {
    auto relation = make_relation(message);
    std::string line = "relation " + relation->qualified() + " " + static_cast<char>(relation->identity);
    for (auto& column : relation->columns) {
      column.type = types_.find(column.type_oid);
      line += " " + std::string(column.identity ? "*" : "") + column.name + ":" +
              (column.type == nullptr ? "?" : column.type->name) + ":" + std::to_string(column.type_modifier);
    }
    relations_[message.oid] = std::move(relation);
    return line;
  }
  std::string say(const pgoutput::Type& message) {
    ColumnType type;
    type.oid = message.oid;
    type.kind = TypeKind::enumeration;
    type.name = std::string(message.schema) + "." + std::string(message.name);
    return "type " + types_.add(std::move(type))->name;
  }
  std::string say(const pgoutput::Insert& insert) {
    return "insert " + row(insert.relation, insert.new_tuple, false, new_row_);
  }
  std::string say(const pgoutput::Update& update) {
    std::string line = "update ";
    if (update.old_kind != 0) line += row(update.relation, update.old_tuple, update.old_kind == 'K', old_row_) + " -> ";
    return line + row(update.relation, update.new_tuple, false, new_row_);
  }
  std::string say(const pgoutput::Delete& removal) {
    return "delete " + row(removal.relation, removal.old_tuple, removal.old_kind == 'K', old_row_);
  }
  std::string say(const pgoutput::Truncate& truncate) {
    std::string line = "truncate";
    for (const Oid oid : truncate.relations) line += " " + relations_.at(oid)->name;
    return line + (truncate.cascade ? " cascade" : "") + (truncate.restart_identity ? " restart identity" : "");
  }
  static std::string say(const pgoutput::LogicalMessage& message) {
    return std::string("message ") + (message.transactional ? "in" : "out") + " '" + std::string(message.prefix) +
           "' '" + std::string(message.content) + "'";
  }

  std::string row(Oid oid, pgoutput::Tuple tuple, bool key_only, RowText& text) {
    const auto& relation = *relations_.at(oid);
    std::string line = relation.name + "(";
    for (const auto& value : text.decode(relation, tuple, key_only, nullptr)) {
      if (line.back() != '(') line += "|";
      switch (value.state) {
        case ValueState::null:
          line += "NULL";
          break;
        case ValueState::unchanged:
          line += "UNCHANGED";
          break;
        case ValueState::absent:
          line += "-";
          break;
        case ValueState::text:
          line += value.text.size() == 2100 ? "2100 x" : value.text;
          break;
      }
    }
    return line + ")";
  }

  pgoutput::Decoder decoder_;
  TypeCatalog types_;
  std::map<Oid, std::unique_ptr<Relation>> relations_;
  RowText new_row_, old_row_;
};

const char* const kPlain =
    "relation public.plain d *id:integer:-1 name:character varying:24 amount:numeric:655366 tags:text[]:-1 "
    "born:timestamp with time zone:-1 feeling:public.mood:-1 big:text:-1";

// Without begin and commit, which surround every group.
const std::vector<std::vector<std::string>> kTransactions = {
    {"type public.mood", kPlain,
     "insert plain(1|Zoë|12.50|{a,\"b c\",NULL}|2026-01-02 03:04:05.5+00|very happy|2100 x)"},
    {"insert plain(2|NULL|NULL|NULL|NULL|NULL|NULL)"},
    {"update plain(1|Zoe|12.50|{a,\"b c\",NULL}|2026-01-02 03:04:05.5+00|very happy|UNCHANGED)"},
    {"update plain(1|-|-|-|-|-|-) -> plain(10|Zoe|12.50|{a,\"b c\",NULL}|2026-01-02 03:04:05.5+00|very "
     "happy|UNCHANGED)"},
    {"update plain(10|Zoe|12.50|{a,\"b c\",NULL}|2026-01-02 03:04:05.5+00|very happy|)"},
    {"delete plain(10|-|-|-|-|-|-)"},
    {"insert plain(3|kept|NULL|NULL|NULL|NULL|NULL)", "insert plain(5|tab\there|NULL|NULL|NULL|NULL|NULL)"},
    {"relation public.whole f *id:integer:-1 *note:text:-1", "insert whole(1|one)", "insert whole(NULL|NULL)"},
    {"update whole(1|one) -> whole(1|uno)"},
    {"delete whole(NULL|NULL)", "delete whole(1|uno)"},
    {"relation public.indexed i id:integer:-1 *code:text:-1 note:text:-1", "insert indexed(1|first|alpha)"},
    {"update indexed(-|first|-) -> indexed(1|zwei|alpha)"},
    {"delete indexed(-|zwei|-)"},
    {"relation public.parent d *id:integer:-1", "insert parent(1)"},
    {"relation public.child d *id:integer:-1 parent:integer:-1", "insert child(7|1)"},
    {"delete parent(1)", "delete child(7|-)"},
    {"relation public.parent d *id:integer:-1", "relation public.child d *id:integer:-1 parent:integer:-1",
     "truncate parent child cascade"},
    {"type public.mood", kPlain, "relation public.whole f *id:integer:-1 *note:text:-1",
     "truncate plain whole restart identity"},
    {"relation odd \"schema\".odd.table d *odd\ncolumn:integer:-1 added:boolean:-1", "insert odd.table(1|t)"},
    {"relation odd \"schema\".odd.table d *odd\ncolumn:integer:-1", "insert odd.table(2)"},
    {"message in 'walrelay' 'in a transaction'"},
    {"origin upstream AB/CDEF0123", "relation public.whole f *id:integer:-1 *note:text:-1",
     "insert whole(5|from upstream)"},
};

const char* const kOutsideOfTransactions = "message out '' 'outside of all'";

std::vector<std::string> expected_lines() {
  std::vector<std::string> lines;
  for (const auto& transaction : kTransactions) {
    if (transaction.front().starts_with("origin")) lines.emplace_back(kOutsideOfTransactions);
    lines.emplace_back("begin");
    lines.insert(lines.end(), transaction.begin(), transaction.end());
    lines.emplace_back("commit");
  }
  return lines;
}

class GoldenStream : public testing::TestWithParam<const char*> {};

TEST_P(GoldenStream, SaysWhatTheStatementsDid) {
  Narrator narrator;
  std::vector<std::string> lines;
  for (const auto& message : read_golden(GetParam())) lines.push_back(narrator.tell(message));
  EXPECT_EQ(lines, expected_lines());
}

TEST_P(GoldenStream, EveryMessageIsAcceptedOnlyWhole) {
  pgoutput::Decoder decoder;
  for (const auto& message : read_golden(GetParam())) {
    for (std::size_t size = 0; size < message.size(); ++size) {
      if (size > 300 && size < 1900) continue;  // within the 2100 x
      const std::string prefix(message, 0, size);
      EXPECT_THROW(decoder.decode(prefix), ProtocolError) << message[0] << " " << size << " of " << message.size();
    }
    EXPECT_THROW(decoder.decode(message + '\0'), ProtocolError) << message[0];
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, GoldenStream, testing::Values("text.hex", "binary.hex"),
                         [](const auto& test) { return std::string(test.param, std::strlen(test.param) - 4); });

TEST(GoldenStreams, DifferInTheirBytes) { EXPECT_NE(read_golden("text.hex"), read_golden("binary.hex")); }

}  // namespace
}  // namespace walrelay::replication
