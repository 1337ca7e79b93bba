// The connection keywords of libpq (up to PostgreSQL 18), and what walrelay does with each.
//
// The list is here and not asked of libpq, because this folder knows no library; a keyword that is newer than the libpq
// at hand is refused by libpq itself at connect.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace walrelay::config {

enum class KeywordUse {
  pass,         // a key under "source", handed to libpq
  secret,       // kept apart from the parameters
  ours,         // walrelay sets it itself; in a url it is understood and dropped
  unsupported,  // a secret that walrelay has no place for
};

struct Keyword {
  std::string name;
  KeywordUse use = KeywordUse::pass;
  std::string variable;  // libpq's environment variable, or empty
  std::string help;
  std::vector<std::string> choices;  // empty: any text
  bool number = false;
};

const std::vector<Keyword>& libpq_keywords();
const Keyword* find_keyword(std::string_view name);

// The complaint about a value that libpq would refuse, without the value; empty when it is good.
std::string check_keyword(const Keyword& keyword, const std::string& value);

}  // namespace walrelay::config
