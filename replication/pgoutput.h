// The messages of PostgreSQL's output plugin pgoutput, protocol versions 1 to 4, as a slot sends them that neither
// streams open transactions nor announces two-phase commits: the layouts of the four versions are the same then.
//
//   tag  message         layout (all integers in network byte order; "name" ends with NUL)
//   B    Begin           final_lsn:8 commit_time:8 xid:4
//   C    Commit          flags:1 commit:8 end:8 commit_time:8
//   O    Origin          commit:8 name
//   R    Relation        oid:4 schema name identity:1 count:2 { flags:1 name type:4 modifier:4 }
//   Y    Type            oid:4 schema name
//   I    Insert          relation:4 'N' tuple
//   U    Update          relation:4 [ 'K' tuple | 'O' tuple ] 'N' tuple
//   D    Delete          relation:4 'K' tuple | 'O' tuple
//   T    Truncate        count:4 options:1 { relation:4 }
//   M    LogicalMessage  flags:1 position:8 prefix length:4 content
//
//   tuple = count:2 { 'n' | 'u' | 't' length:4 text | 'b' length:4 binary }
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "replication/lsn.h"
#include "replication/reader.h"
#include "replication/relation.h"

namespace walrelay::replication::pgoutput {

struct Begin {
  Lsn final_lsn = Lsn::invalid;     // start of the commit record: names the transaction
  std::int64_t commit_time_us = 0;  // microseconds since the Unix epoch, as all times here
  std::uint32_t xid = 0;
};

struct Commit {
  std::uint8_t flags = 0;  // always 0 so far
  Lsn commit = Lsn::invalid;
  Lsn end = Lsn::invalid;  // just behind the commit record: what may be acknowledged
  std::int64_t commit_time_us = 0;
};

// The transaction came to this server by replication.
struct Origin {
  Lsn commit = Lsn::invalid;  // on the server where it began
  std::string_view name;
};

struct RelationColumnMessage {
  bool identity = false;  // part of the replica identity
  std::string_view name;
  Oid type = 0;
  std::int32_t modifier = -1;
};

struct RelationMessage {
  Oid oid = 0;
  std::string_view schema;  // empty: pg_catalog
  std::string_view name;
  ReplicaIdentity identity = ReplicaIdentity::default_;
  std::span<const RelationColumnMessage> columns;
};

struct Type {
  Oid oid = 0;
  std::string_view schema;  // empty: pg_catalog
  std::string_view name;
};

// 'n' NULL (or outside the key, in a 'K' tuple); 'u' a TOASTed value that did not change and was not sent;
// 't' text; 'b' the type's binary send format.
struct TupleColumn {
  char kind = 'n';
  std::string_view bytes;
};
using Tuple = std::span<const TupleColumn>;

struct Insert {
  Oid relation = 0;
  Tuple new_tuple;
};

// `old_kind`: 0 no old tuple, 'K' only the replica identity, because it changed, 'O' the whole row (identity FULL).
struct Update {
  Oid relation = 0;
  char old_kind = 0;
  Tuple old_tuple;
  Tuple new_tuple;
};

struct Delete {
  Oid relation = 0;
  char old_kind = 'K';  // 'K' or 'O'
  Tuple old_tuple;
};

struct Truncate {
  std::span<const Oid> relations;  // with CASCADE also the ones that were reached by it
  bool cascade = false;
  bool restart_identity = false;
};

// What pg_logical_emit_message() wrote.
struct LogicalMessage {
  bool transactional = false;
  Lsn position = Lsn::invalid;
  std::string_view prefix;
  std::string_view content;
};

using Message =
    std::variant<Begin, Commit, Origin, RelationMessage, Type, Insert, Update, Delete, Truncate, LogicalMessage>;

// Turns bytes into messages. The message, and every view in it, is valid until the next decode() and as long as the
// bytes are. Allocates nothing once its vectors have grown to the widest row. After a throw the decoder may go on with
// another message, though a session that sent one malformed message is not to be trusted with the next.
class Decoder {
 public:
  // Throws ProtocolError for an unknown tag, a message that is too short or too long, and every value that this
  // version of the protocol does not define: to guess would be to write a wrong row.
  const Message& decode(std::string_view bytes);

 private:
  void begin(Reader& in);
  void commit(Reader& in);
  void relation(Reader& in);
  void insert(Reader& in);
  void update(Reader& in);
  void remove(Reader& in);
  void truncate(Reader& in);
  void logical_message(Reader& in);

  Message message_;
  std::vector<TupleColumn> old_columns_;
  std::vector<TupleColumn> new_columns_;
  std::vector<RelationColumnMessage> relation_columns_;
  std::vector<Oid> truncated_;
};

}  // namespace walrelay::replication::pgoutput
