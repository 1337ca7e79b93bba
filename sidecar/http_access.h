// Who may make walrelay do something over HTTP. Reading (health, metrics) needs nothing.
//
//                      no token sent        a wrong token        the token
//   none configured
//     loopback         granted              granted              -
//     elsewhere        forbidden            forbidden            -
//   one configured
//     loopback         granted              unauthorized         granted
//     elsewhere        unauthorized         unauthorized         granted
#pragma once

#include <string>

#include "sidecar/http.h"

namespace walrelay::sidecar {

enum class Access { granted, forbidden, unauthorized };

// `token`: what is configured; empty: nothing. How long the comparison takes says nothing about it.
Access may_act(const HttpRequest& request, const std::string& token);

}  // namespace walrelay::sidecar
