// What is made from the table of keys (keys.h) for people and editors.
#pragma once

#include <string>
#include <vector>

#include "config/load.h"

namespace walrelay::config {

// The JSON Schema (draft-07) of a configuration file. config/walrelay.schema.json is this text with the program's
// kinds.
std::string json_schema(const std::vector<KindRule>& kinds);

// A commented configuration that loads without a mistake: `config example`, config/walrelay.example.yaml.
std::string example();

// A key in words, in Markdown: what may be written, what holds when nothing is ("": nothing), what it means.
struct ExplainedKey {
  std::string name, form, fallback, help;
};
std::vector<ExplainedKey> explained_keys();  // all of them, "ttl_classes." and "mappings[]." at the end
std::string form_of(const ParameterRule& rule);

// The tables of docs/configuration.md, in Markdown: all keys, and the kinds of write.
std::string reference_of_keys();
std::string reference_of_kinds(const std::vector<KindRule>& kinds);

}  // namespace walrelay::config
