// Who may make walrelay do something over HTTP. Reading (health, metrics, status) needs nothing.
//
//                      no token sent        a wrong token        the token
//   none configured
//     loopback         granted              granted              -
//     elsewhere        forbidden            forbidden            -
//   one configured
//     loopback         granted              unauthorized         granted
//     elsewhere        unauthorized         unauthorized         granted
//
// The loopback is trusted, but a browser on this machine lends it to any web page: by a form or fetch() across origins,
// or by a name that the page's owner lets point to 127.0.0.1 (DNS rebinding). Both show in the headers.
#pragma once

#include <string>

#include "sidecar/http.h"

namespace walrelay::sidecar {

enum class Access { granted, forbidden, unauthorized };

// `token`: what is configured; empty: nothing. How long the comparison takes says nothing about it.
Access may_act(const HttpRequest& request, const std::string& token);

// False: a client on this machine asks by a name that is not this machine's. Numeric addresses, localhost, the
// machine's own name and `hosts` (with commas between) are.
bool is_expected_host(const HttpRequest& request, const std::string& hosts);

// False: a web page from elsewhere sent it.
bool is_same_origin(const HttpRequest& request);

}  // namespace walrelay::sidecar
