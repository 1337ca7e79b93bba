// From what the stream says of a relation to the Relation that changes refer to.
#pragma once

#include <memory>

#include "replication/encoding.h"
#include "replication/pgoutput.h"
#include "replication/relation.h"

namespace walrelay::replication {

// A new Relation with a version that no other Relation of this process has. What the stream does not say is left open:
// `primary` is false and `type` null until the catalogue is asked. `encoding` converts the names, which come in the
// server's encoding like everything else; null: they are UTF-8.
std::unique_ptr<Relation> make_relation(const pgoutput::RelationMessage& message, const Encoding* encoding = nullptr);

}  // namespace walrelay::replication
