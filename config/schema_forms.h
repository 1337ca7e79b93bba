// The forms that values have in the JSON Schema; for schema*.cc only.
#pragma once

#include <string>
#include <vector>

#include "config/json_text.h"
#include "config/load.h"

namespace walrelay::config::forms {

Json type(const char* name);
Json pattern(const char* expression);
Json any_of(std::vector<Json> forms);  // any value may come from the environment: "${NAME}" is a text whatever its type
Json scalar();
Json word(const std::vector<std::string>& choices);
Json flag();
Json duration();
Json whole_number();  // from 0 on
Json names();         // a list of at least one

// An object that has these keys and no other.
Json closed(Json properties, const std::vector<std::string>& required = {});

Json parameter(const ParameterRule& rule);

// The value of one of mapping_keys(), and of "ttl_classes".
Json mapping_value(const std::string& key);
Json ttl_classes();

// Markdown's quotes mean nothing in an editor's tool tip.
std::string plain(std::string help);

}  // namespace walrelay::config::forms
