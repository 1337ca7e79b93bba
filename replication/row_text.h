// From the tuple of an Insert, Update or Delete to the row that a sink gets.
#pragma once

#include "replication/change.h"
#include "replication/encoding.h"
#include "replication/pgoutput.h"
#include "replication/relation.h"
#include "replication/row_buffer.h"

namespace walrelay::replication {

// Keep one object for the new rows and one for the old ones: a row is borrowed until the object's next decode(), and
// as long as the message is. Allocates nothing once it has seen the widest row.
class RowText {
 public:
  // `key_only`: the tuple is a 'K' one, in which the server sends NULL for every column outside the identity; those
  // become `absent`. `encoding`: the server's, or null where nothing is to be converted. Columns that come in binary
  // need their type in the relation. Throws ProtocolError when the tuple does not fit the relation.
  Row decode(const Relation& relation, pgoutput::Tuple tuple, bool key_only, const Encoding* encoding);

 private:
  RowBuffer buffer_;
};

}  // namespace walrelay::replication
