// The walrelay that runs, as our own command line asks it.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "sidecar/http_client.h"

namespace walrelay::sidecar {

class Remote {
 public:
  Remote(std::string url, std::string token) : url_(std::move(url)), token_(std::move(token)) {}

  // Throws HttpUnreachable.
  [[nodiscard]] HttpResult ask(const std::string& method, const std::string& path,
                               std::chrono::milliseconds timeout = std::chrono::milliseconds(10000)) const {
    return http_request(method, url_, path, token_, timeout);
  }
  [[nodiscard]] Remote at(std::string url) const { return {std::move(url), token_}; }  // with the same token
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  std::string url_, token_;
};

// What the server says is wrong, or its answer as it is.
std::string error_in(const HttpResult& result);

}  // namespace walrelay::sidecar
