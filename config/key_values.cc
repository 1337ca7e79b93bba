#include "config/key_values.h"

#include <algorithm>

#include "config/nearest.h"
#include "config/values.h"

namespace walrelay::config {

namespace {

template <class T>
void store(const Key& key, Config& config, T value) {
  if (const auto* at = std::get_if<T& (*)(Config&)>(&key.field)) (*at)(config) = std::move(value);
}

std::string assign_duration(const Key& key, const std::string& text, const std::string& shown, Config& config) {
  const auto duration = parse_duration(text);
  if (duration) return store(key, config, *duration), "";
  const std::string what = parse_integer(text) ? " has no unit; " : " is no duration; ";
  return shown + what + std::string(kDurationRule);
}

std::string assign_size(const Key& key, const std::string& text, const std::string& shown, Config& config) {
  const auto size = parse_size(text);
  if (!size) return shown + " is no size; " + std::string(kSizeRule);
  const auto least = static_cast<std::uint64_t>(key.minimum);
  const auto most = static_cast<std::uint64_t>(key.maximum);
  if (*size < least || *size > most) return "must be from " + format_size(least) + " to " + format_size(most);
  store(key, config, *size);
  return "";
}

std::string assign_integer(const Key& key, const std::string& text, const std::string& shown, Config& config) {
  const auto number = parse_integer(text);
  if (!number) return shown + " is no whole number";
  if (*number < key.minimum || *number > key.maximum) {
    return "must be from " + std::to_string(key.minimum) + " to " + std::to_string(key.maximum);
  }
  store(key, config, static_cast<int>(*number));
  store(key, config, static_cast<std::uint64_t>(*number));
  return "";
}

std::string assign_choice(const Key& key, const std::string& text, const std::string& shown, Config& config) {
  if (std::find(key.choices.begin(), key.choices.end(), text) == key.choices.end()) {
    return shown + " is not allowed; write " + either(key.choices);
  }
  store(key, config, text);
  return "";
}

std::string assign_text(const Key& key, const std::string& text, Config& config) {
  if (key.keyword != nullptr) return text.empty() ? "" : check_keyword(*key.keyword, text);
  if (key.check != nullptr) {
    if (auto complaint = key.check(text); !complaint.empty()) return complaint;
  }
  store(key, config, text);
  return "";
}

std::string effective_keyword(const Key& key, const Config& config) {
  for (const auto& [keyword, value] : config.source.parameters) {
    if (keyword == key.keyword->name) return value;
  }
  return "";
}

}  // namespace

std::string assign(const Key& key, const std::string& text, const std::string& shown, Config& config) {
  switch (key.type) {
    case Type::text:
      return assign_text(key, text, config);
    case Type::choice:
      return assign_choice(key, text, shown, config);
    case Type::integer:
      return assign_integer(key, text, shown, config);
    case Type::duration:
      return assign_duration(key, text, shown, config);
    case Type::size:
      return assign_size(key, text, shown, config);
    case Type::flag: {
      const auto flag = parse_flag(text);
      if (!flag) return shown + " is neither true nor false";
      store(key, config, *flag);
      return "";
    }
    case Type::secret:
      store(key, config, SecretSource{Secret(text), ""});
      return "";
    case Type::secret_file:
      store(key, config, SecretSource{Secret(), text});
      return "";
    case Type::url:
    case Type::url_file:
      return "";  // read when the addresses are put together
  }
  return "";
}

std::string effective(const Key& key, Config& config) {
  if (key.keyword != nullptr) return effective_keyword(key, config);
  struct Reader {
    const Key& key;
    Config& config;
    std::string operator()(std::monostate) const { return ""; }
    std::string operator()(std::string& (*at)(Config&)) const { return at(config); }
    std::string operator()(int& (*at)(Config&)) const { return std::to_string(at(config)); }
    std::string operator()(bool& (*at)(Config&)) const { return at(config) ? "true" : "false"; }
    std::string operator()(milliseconds& (*at)(Config&)) const { return format_duration(at(config)); }
    std::string operator()(std::uint64_t& (*at)(Config&)) const {
      return key.type == Type::size ? format_size(at(config)) : std::to_string(at(config));
    }
    std::string operator()(SecretSource& (*at)(Config&)) const {
      if (key.type == Type::secret_file) return at(config).file;
      return at(config).value.empty() ? "" : "***";
    }
  };
  return std::visit(Reader{key, config}, key.field);
}

}  // namespace walrelay::config
