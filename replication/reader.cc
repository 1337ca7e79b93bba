// The cold half of Reader.
#include "replication/reader.h"

#include <string>

namespace walrelay::replication {

void Reader::fail(const char* fault) const { throw ProtocolError(std::string("PostgreSQL's ") + what_ + " " + fault); }

}  // namespace walrelay::replication
