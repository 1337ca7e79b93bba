// From libmicrohttpd's connection to an HttpRequest. For http.cc only.
#pragma once

#include <microhttpd.h>

#include "sidecar/http.h"

namespace walrelay::sidecar {

HttpRequest read_request(MHD_Connection* connection, const char* method, const char* url);

}  // namespace walrelay::sidecar
