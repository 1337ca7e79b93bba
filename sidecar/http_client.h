// Our command line asks our own server: one request over a connection of its own.
//
// It blocks. Only for commands that have no loop.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "sidecar/http_response.h"

namespace walrelay::sidecar {

// Nobody answers, or not in HTTP, or not in time: one sentence that names the address.
class HttpUnreachable : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// `base_url`: "http://127.0.0.1:9847", "http://[::1]:9847"; base_url() of http_address.h makes one. `path_and_query`
// begins with "/"; what was written by others in it goes through percent_encoded(). `token`: empty for none. Every
// status is an answer. The time is for everything together, except that the system may take its own for resolving
// a name. Throws HttpUnreachable; std::invalid_argument for what no request can carry.
HttpResult http_request(const std::string& method, const std::string& base_url, const std::string& path_and_query,
                        const std::string& token, std::chrono::milliseconds timeout);

// The addresses that the name in `base_url` stands for, each as a URL of its own: "http://10.0.0.7:9847". Empty when it
// cannot be resolved.
std::vector<std::string> urls_behind(const std::string& base_url);

// For a segment of a path or a value of a query: all but letters, digits and "-._~" as "%XX".
std::string percent_encoded(std::string_view text);

}  // namespace walrelay::sidecar
