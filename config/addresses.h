// Source and target from URL, single keys and fallbacks.
//
// Every word has a level (settings.h). Single keys below the URL's level are overwritten by what the URL says, those of
// its level and above overwrite it: a URL in the environment beats `source.host` in the file, and `source.user`
// beside `source.url` completes or corrects it.
#pragma once

#include "config/config.h"
#include "config/expand.h"
#include "config/mistake.h"
#include "config/settings.h"

namespace walrelay::config {

// Fills config.source.{parameters,password,key_password,dropped} and their origins. `place` is for a mistake that
// stands nowhere: that no source is given at all.
void settle_source(Settings& settings, const Environment& environment, const Place& place, Config& config,
                   Mistakes& mistakes);

// Fills the address, TLS and password of config.target, and their origins.
void settle_target(Settings& settings, const Environment& environment, Config& config, Mistakes& mistakes);

// One of `name` and `name`_file (a secret or a URL): the one of the higher level. Both on one level are a mistake.
struct SecretGiven {
  const Given* given = nullptr;  // null: neither
  bool from_file = false;
};
SecretGiven secret_given(const Settings& settings, const std::string& name, Mistakes& mistakes);

// The text of the URL, read from its file where it is one. Empty when there is none.
struct UrlGiven {
  std::string text;
  Given given;
};
std::optional<UrlGiven> url_given(const Settings& settings, const std::string& name, Mistakes& mistakes);

}  // namespace walrelay::config
