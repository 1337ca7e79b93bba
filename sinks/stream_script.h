// Adds an entry to a Redis stream once, however often it is said.
//
//   id = <commit LSN>-<number of the change within the transaction>        5036543210-3
//
// XADD takes only ids above the last one. So the script remembers, for each stream, which position it told last:
//
//   walrelay:{slot}:stream:<key>   a hash: origin, lsn, seq of the last entry, offset
//
// A position that is not above the last one was told already: nothing happens. An id that the stream does not take all
// the same (another server's log begins lower, somebody else adds entries with ids of their own) is lifted above its
// last one by an offset to the LSN, which stays from then on. Positions of another origin are never compared.
#pragma once

#include "sinks/scripts.h"

namespace walrelay::sinks {

// KEYS: the stream; key of what is remembered, origin, LSN and number as decimals, MAXLEN (empty: none), field,
// value...
const Script& stream_script();

}  // namespace walrelay::sinks
