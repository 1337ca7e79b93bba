// The target's half of addresses.h.
#include "config/addresses.h"
#include "config/key_values.h"
#include "config/url.h"

namespace walrelay::config {

namespace {

class TargetSettler {
 public:
  TargetSettler(const Settings& settings, Config& config, Mistakes& mistakes)
      : settings_(settings), config_(config), mistakes_(mistakes), url_(url_given(settings, "target.url", mistakes)) {}

  void run() {
    password_ = secret_given(settings_, "target.password", mistakes_);
    const int level = url_ ? static_cast<int>(url_->given.level) : 0;
    apply([&](const Given& given) { return static_cast<int>(given.level) < level; });
    if (url_) apply_url();
    apply([&](const Given& given) { return static_cast<int>(given.level) >= level; });
    settle_tls();
    check();
  }

 private:
  template <class Wanted>
  void apply(const Wanted& wanted) {
    for (const Key& key : keys()) {
      const Given* given = settings_.find(key.name);
      const bool ours =
          key.address && key.name.starts_with("target.") && key.type != Type::secret && key.type != Type::secret_file;
      if (given == nullptr || !ours || !wanted(*given)) continue;
      if (key.name == "target.unix" && host_level() > static_cast<int>(given->level)) continue;
      if (key.name == "target.host") clear_socket();  // a socket of the same level follows in the table
      assign(key, given->text, "", config_);
      if (key.type != Type::url && key.type != Type::url_file) config_.origins[key.name] = given->origin;
    }
    if (password_.given != nullptr && wanted(*password_.given)) {
      set_password(password_.given->text, password_.from_file, password_.given->origin);
    }
  }

  void apply_url() {
    const TargetAddress address = parse_target(url_->text);
    for (const std::string& mistake : address.mistakes) mistakes_.add(url_->given.place, "target.url: " + mistake);
    Target& target = config_.target;
    const auto given = [&](const char* word) {
      const bool yes = address.given.contains(word);
      if (yes) config_.origins[std::string("target.") + word] = url_->given.origin;
      return yes;
    };
    if (address.given.contains("host")) clear_socket();
    if (given("host")) target.host = address.target.host;
    if (given("port")) target.port = address.target.port;
    if (given("unix")) target.unix_path = address.target.unix_path;
    if (given("user")) target.user = address.target.user;
    if (given("database")) target.database = address.target.database;
    if (given("tls.ca")) target.tls_ca = address.target.tls_ca;
    if (given("tls.certificate")) target.tls_certificate = address.target.tls_certificate;
    if (given("tls.key")) target.tls_key = address.target.tls_key;
    if (given("tls.verify")) target.tls_verify = address.target.tls_verify;
    if (address.given.contains("password")) {
      set_password(address.target.password.value.reveal(), false, url_->given.origin);
    }
    url_wants_tls_ = address.given.contains("tls");
    if (address.given.contains("lone_user") && password_.given == nullptr) {
      mistakes_.add(url_->given.place,
                    "target.url: a user is given without a password; write redis://:password@host for a password "
                    "alone, redis://user:password@host for both");
    }
    target.dropped = address.target.dropped;
  }

  void set_password(const std::string& text, bool from_file, const std::string& origin) {
    config_.target.password = from_file ? SecretSource{Secret(), text} : SecretSource{Secret(text), ""};
    config_.origins.erase("target.password");
    config_.origins.erase("target.password_file");
    config_.origins[from_file ? "target.password_file" : "target.password"] = origin;
  }

  // A socket and a host are two ways to one server: the higher level counts.
  [[nodiscard]] int host_level() const {
    const Given* host = settings_.find("target.host");
    return host == nullptr ? -1 : static_cast<int>(host->level);
  }

  void clear_socket() {
    config_.target.unix_path.clear();
    config_.origins.erase("target.unix");
  }

  // TLS is on with rediss://, or when any key of target.tls is given, unless target.tls.enabled says otherwise.
  void settle_tls() {
    const Given* enabled = settings_.find("target.tls.enabled");
    if (enabled != nullptr) {
      if (!config_.target.tls && url_wants_tls_) {
        mistakes_.add(enabled->place, "target.tls is off, but target.url begins with rediss://; keep one of the two");
      }
      return;
    }
    std::string origin = url_wants_tls_ ? url_->given.origin : "";
    for (const auto& [name, given] : settings_.all()) {
      if (origin.empty() && name.starts_with("target.tls.")) origin = given.origin;
    }
    if (origin.empty()) return;
    config_.target.tls = true;
    config_.origins["target.tls.enabled"] = origin;
  }

  void check() {
    const Target& target = config_.target;
    const auto place = [&](const char* key) {
      const Given* given = settings_.find(key);
      return given != nullptr ? given->place : url_ ? url_->given.place : Place{config_.file, 1, 1};
    };
    const Given* socket = settings_.find("target.unix");
    if (socket != nullptr && host_level() == static_cast<int>(socket->level)) {
      mistakes_.add(socket->place, "both target.unix and target.host are given; keep one of them");
    }
    if (target.tls && !target.unix_path.empty()) {
      mistakes_.add(place("target.unix"), "target: TLS does not go over a unix socket; remove one of the two");
    }
    if (target.tls_certificate.empty() != target.tls_key.empty()) {
      mistakes_.add(place(target.tls_key.empty() ? "target.tls.certificate" : "target.tls.key"),
                    "target.tls: a client certificate needs both \"certificate\" and \"key\"");
    }
    if (!target.user.empty() && !target.password.given() && settings_.find("target.user") != nullptr) {
      mistakes_.add(place("target.user"), "target.user is given without target.password or target.password_file");
    }
  }

  const Settings& settings_;
  Config& config_;
  Mistakes& mistakes_;
  const std::optional<UrlGiven> url_;
  SecretGiven password_;
  bool url_wants_tls_ = false;
};

}  // namespace

void settle_target(Settings& settings, const Environment& environment, Config& config, Mistakes& mistakes) {
  const auto missing = [&](const char* key) { return settings.find(key) == nullptr; };
  if (missing("target.url") && missing("target.url_file") && missing("target.host") && missing("target.unix")) {
    const auto url = environment("REDIS_URL");
    if (url && !url->empty()) {
      settings.put(*find_key("target.url"), {*url, Level::fallback, {"REDIS_URL", 0, 0}, "environment REDIS_URL"});
    }
  }
  TargetSettler(settings, config, mistakes).run();
}

}  // namespace walrelay::config
