#include "replication/pgoutput.h"

#include "replication/server_time.h"

namespace walrelay::replication::pgoutput {
namespace {

Tuple read_tuple(Reader& in, std::vector<TupleColumn>& columns) {
  const std::size_t count = in.u16();
  columns.resize(count);
  for (TupleColumn& column : columns) {
    column.kind = in.letter();
    if (column.kind == 't' || column.kind == 'b') {
      column.bytes = in.counted();
    } else if (column.kind == 'n' || column.kind == 'u') {
      column.bytes = {};
    } else {
      in.fail("has a column of an unknown kind");
    }
  }
  return columns;
}

void expect_new_tuple(Reader& in, char tag) {
  if (tag != 'N') in.fail("lacks its new row");
}

ReplicaIdentity read_identity(Reader& in) {
  switch (const char letter = in.letter()) {
    case 'd':
    case 'n':
    case 'f':
    case 'i':
      return static_cast<ReplicaIdentity>(letter);
    default:
      in.fail("has an unknown replica identity");
  }
}

Origin read_origin(Reader& in) {
  Origin origin;
  origin.commit = in.lsn();
  origin.name = in.cstring();
  return origin;
}

Type read_type(Reader& in) {
  Type type;
  type.oid = in.u32();
  type.schema = in.cstring();
  type.name = in.cstring();
  return type;
}

const char* name_of(char tag) {
  switch (tag) {
    case 'B':
      return "Begin message";
    case 'C':
      return "Commit message";
    case 'O':
      return "Origin message";
    case 'R':
      return "Relation message";
    case 'Y':
      return "Type message";
    case 'I':
      return "Insert message";
    case 'U':
      return "Update message";
    case 'D':
      return "Delete message";
    case 'T':
      return "Truncate message";
    case 'M':
      return "logical decoding message";
    default:
      return "replication message";
  }
}

}  // namespace

const Message& Decoder::decode(std::string_view bytes) {
  const char tag = bytes.empty() ? '\0' : bytes.front();
  Reader in(bytes, name_of(tag));
  in.bytes(1);
  switch (tag) {
    case 'B':
      begin(in);
      break;
    case 'C':
      commit(in);
      break;
    case 'O':
      message_ = read_origin(in);
      break;
    case 'R':
      relation(in);
      break;
    case 'Y':
      message_ = read_type(in);
      break;
    case 'I':
      insert(in);
      break;
    case 'U':
      update(in);
      break;
    case 'D':
      remove(in);
      break;
    case 'T':
      truncate(in);
      break;
    case 'M':
      logical_message(in);
      break;
    default:
      in.fail("is of an unknown kind");
  }
  in.expect_end();
  return message_;
}

void Decoder::begin(Reader& in) {
  Begin begin;
  begin.final_lsn = in.lsn();
  begin.commit_time_us = unix_from_postgres_us(in.i64());
  begin.xid = in.u32();
  message_ = begin;
}

void Decoder::commit(Reader& in) {
  Commit commit;
  commit.flags = in.u8();
  if (commit.flags != 0) in.fail("has unknown flags");
  commit.commit = in.lsn();
  commit.end = in.lsn();
  commit.commit_time_us = unix_from_postgres_us(in.i64());
  message_ = commit;
}

void Decoder::relation(Reader& in) {
  RelationMessage relation;
  relation.oid = in.u32();
  relation.schema = in.cstring();
  relation.name = in.cstring();
  relation.identity = read_identity(in);
  const std::size_t count = in.u16();
  relation_columns_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    RelationColumnMessage column;
    const auto flags = in.u8();
    if (flags > 1) in.fail("has a column with unknown flags");
    column.identity = flags == 1;
    column.name = in.cstring();
    column.type = in.u32();
    column.modifier = in.i32();
    relation_columns_.push_back(column);
  }
  relation.columns = relation_columns_;
  message_ = relation;
}

void Decoder::insert(Reader& in) {
  Insert insert;
  insert.relation = in.u32();
  expect_new_tuple(in, in.letter());
  insert.new_tuple = read_tuple(in, new_columns_);
  message_ = insert;
}

void Decoder::update(Reader& in) {
  Update update;
  update.relation = in.u32();
  char tag = in.letter();
  if (tag == 'K' || tag == 'O') {
    update.old_kind = tag;
    update.old_tuple = read_tuple(in, old_columns_);
    tag = in.letter();
  }
  expect_new_tuple(in, tag);
  update.new_tuple = read_tuple(in, new_columns_);
  message_ = update;
}

void Decoder::remove(Reader& in) {
  Delete removal;
  removal.relation = in.u32();
  removal.old_kind = in.letter();
  if (removal.old_kind != 'K' && removal.old_kind != 'O') in.fail("lacks its old row");
  removal.old_tuple = read_tuple(in, old_columns_);
  message_ = removal;
}

void Decoder::truncate(Reader& in) {
  constexpr std::uint8_t kCascade = 1;
  constexpr std::uint8_t kRestartIdentity = 2;
  Truncate truncate;
  const std::size_t count = in.u32();
  const auto options = in.u8();
  if (options > (kCascade | kRestartIdentity)) in.fail("has unknown options");
  truncate.cascade = (options & kCascade) != 0;
  truncate.restart_identity = (options & kRestartIdentity) != 0;
  truncated_.clear();
  for (std::size_t i = 0; i < count; ++i) truncated_.push_back(in.u32());
  truncate.relations = truncated_;
  message_ = truncate;
}

void Decoder::logical_message(Reader& in) {
  LogicalMessage message;
  const auto flags = in.u8();
  if (flags > 1) in.fail("has unknown flags");
  message.transactional = flags == 1;
  message.position = in.lsn();
  message.prefix = in.cstring();
  message.content = in.counted();
  message_ = message;
}

}  // namespace walrelay::replication::pgoutput
