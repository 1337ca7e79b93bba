// Whether what travels between PostgreSQL and this process may be read, or made up, by others.
#pragma once

#include <string>

#include "config/config.h"

namespace walrelay::sidecar {

// Says so when a host that is not this machine is spoken to with an sslmode that lets TLS be left out, libpq's own
// default among them; empty: nothing is to be said. Reads PGSSLMODE and PGHOST where the source says nothing, as libpq
// does.
std::string plain_text_warning(const config::Source& source);

}  // namespace walrelay::sidecar
