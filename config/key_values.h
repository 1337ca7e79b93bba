// A key's value as text: checked and put into a Config, and read back from it.
#pragma once

#include <string>

#include "config/keys.h"

namespace walrelay::config {

// Checks the text and sets the key's field. Returns the complaint, a clause that begins behind the key's name, or
// nothing. `shown` stands for the text in complaints: in quotes, or a description where it may hold a secret.
std::string assign(const Key& key, const std::string& text, const std::string& shown, Config& config);

// The key's effective value as assign() takes it; empty for "none". Secrets are "***".
std::string effective(const Key& key, Config& config);  // changes nothing; the fields are reached through a Config&

}  // namespace walrelay::config
