#include "sidecar/remote.h"

#include "sidecar/json_look.h"

namespace walrelay::sidecar {

std::string error_in(const HttpResult& result) {
  simdjson::dom::parser parser;
  JsonElement json;
  const bool is_json = parser.parse(result.body).get(json) == simdjson::SUCCESS;
  const auto sentence = is_json ? value_of<std::string_view>(json, "error") : std::nullopt;
  return sentence ? std::string(*sentence) : "HTTP status " + std::to_string(result.status) + ": " + result.body;
}

}  // namespace walrelay::sidecar
