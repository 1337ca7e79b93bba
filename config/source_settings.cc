// The source's half of addresses.h.
#include <algorithm>

#include "config/addresses.h"
#include "config/url.h"

namespace walrelay::config {

namespace {

const std::string kPrefix = "source.";

bool names_a_server(const Settings& settings) {
  for (const char* word : {"url", "url_file", "host", "hostaddr", "service"}) {
    if (settings.find(kPrefix + word) != nullptr) return true;
  }
  return false;
}

void put_fallback(Settings& settings, const std::string& key, const std::string& variable, const std::string& text) {
  settings.put(*find_key(key), {text, Level::fallback, {variable, 0, 0}, "environment " + variable});
}

// DATABASE_URL, else PG_URL, else libpq's own variables, for what nobody has given.
void add_fallbacks(Settings& settings, const Environment& environment) {
  for (const char* variable : {"DATABASE_URL", "PG_URL"}) {
    const auto url = environment(variable);
    if (url && !url->empty()) return put_fallback(settings, "source.url", variable, *url);
  }
  for (const Keyword& keyword : libpq_keywords()) {
    const Key* key = find_key(kPrefix + keyword.name);
    if (key == nullptr || keyword.variable.empty() || settings.find(key->name) != nullptr) continue;
    // Beside a password of another level PGPASSWORD is no gap.
    if (keyword.use == KeywordUse::secret && settings.find(key->name + "_file") != nullptr) continue;
    const auto text = environment(keyword.variable);
    if (text && !text->empty()) put_fallback(settings, key->name, keyword.variable, *text);
  }
}

class SourceSettler {
 public:
  SourceSettler(const Settings& settings, Config& config, Mistakes& mistakes)
      : settings_(settings), config_(config), mistakes_(mistakes) {}

  void run() {
    const auto url = url_given(settings_, "source.url", mistakes_);
    const SecretGiven password = secret_given(settings_, "source.password", mistakes_);
    const SecretGiven key_password = secret_given(settings_, "source.sslpassword", mistakes_);
    const int level = url ? static_cast<int>(url->given.level) : 0;
    apply(password, key_password, [&](const Given& given) { return static_cast<int>(given.level) < level; });
    if (url) apply_url(*url);
    apply(password, key_password, [&](const Given& given) { return static_cast<int>(given.level) >= level; });
  }

 private:
  template <class Wanted>
  void apply(const SecretGiven& password, const SecretGiven& key_password, const Wanted& wanted) {
    for (const Key& key : keys()) {
      const Given* given = key.keyword == nullptr ? nullptr : settings_.find(key.name);
      if (given != nullptr && wanted(*given)) set(key.keyword->name, given->text, given->origin);
    }
    if (password.given != nullptr && wanted(*password.given)) {
      set_secret(config_.source.password, "source.password", password.from_file, *password.given);
    }
    if (key_password.given != nullptr && wanted(*key_password.given)) {
      set_secret(config_.source.key_password, "source.sslpassword", key_password.from_file, *key_password.given);
    }
  }

  void apply_url(const UrlGiven& url) {
    SourceAddress address = parse_source(url.text);
    for (const std::string& mistake : address.mistakes) mistakes_.add(url.given.place, "source.url: " + mistake);
    const bool has_host = std::any_of(address.parameters.begin(), address.parameters.end(),
                                      [](const auto& p) { return p.first == "host" || p.first == "hostaddr"; });
    // Host and port belong together: those of a lower level speak of another server.
    if (has_host) {
      for (const char* word : {"host", "hostaddr", "port"}) set(word, "", "");
    }
    for (const auto& [keyword, value] : address.parameters) set(keyword, value, url.given.origin);
    Given from_url = url.given;
    if (address.password) {
      from_url.text = address.password->reveal();
      set_secret(config_.source.password, "source.password", false, from_url);
    }
    if (address.key_password) {
      from_url.text = address.key_password->reveal();
      set_secret(config_.source.key_password, "source.sslpassword", false, from_url);
    }
    config_.source.dropped = std::move(address.dropped);
  }

  void set(const std::string& keyword, const std::string& value, const std::string& origin) {
    auto& all = config_.source.parameters;
    std::erase_if(all, [&](const auto& parameter) { return parameter.first == keyword; });
    config_.origins.erase(kPrefix + keyword);
    if (value.empty()) return;
    all.emplace_back(keyword, value);
    config_.origins[kPrefix + keyword] = origin;
  }

  void set_secret(SecretSource& secret, const std::string& name, bool from_file, const Given& given) {
    secret = from_file ? SecretSource{Secret(), given.text} : SecretSource{Secret(given.text), ""};
    config_.origins.erase(name);
    config_.origins.erase(name + "_file");
    config_.origins[from_file ? name + "_file" : name] = given.origin;
  }

  const Settings& settings_;
  Config& config_;
  Mistakes& mistakes_;
};

}  // namespace

void settle_source(Settings& settings, const Environment& environment, const Place& place, Config& config,
                   Mistakes& mistakes) {
  if (!names_a_server(settings)) add_fallbacks(settings, environment);
  const bool given = std::any_of(keys().begin(), keys().end(), [&](const Key& key) {
    const bool tried = settings.find(key.name) != nullptr || settings.failed().contains(key.name);
    return key.address && key.name.starts_with(kPrefix) && tried;
  });
  if (!given) {
    mistakes.add(place, "no source is given; set source.url, or the environment variable DATABASE_URL or PGHOST");
  }
  SourceSettler(settings, config, mistakes).run();
}

}  // namespace walrelay::config
