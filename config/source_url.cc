// source.url: three grammars, one collector that turns every word into a libpq keyword, a secret or nothing.
#include <algorithm>
#include <array>

#include "config/driver_words.h"
#include "config/libpq_keywords.h"
#include "config/nearest.h"
#include "config/url.h"
#include "config/url_parts.h"

namespace walrelay::config {

namespace {

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

class Collector {
 public:
  explicit Collector(bool jdbc) : jdbc_(jdbc) {}

  // Takes one word as the user wrote it. Its name stands in a mistake only if it `may_show`.
  void take(const std::string& name, const std::string& value, bool may_show) {
    if (name == "ssl") {
      ssl_ = value;
      return;
    }
    if (name == "sslaccept" || name == "sslfactory") {
      (name == "sslaccept" ? accept_ : factory_) = value;
      address.dropped.push_back(name);
      return;
    }
    if (const Keyword* keyword = find_keyword(name)) return take_keyword(*keyword, value);
    if (const DriverWord* word = find_driver_word(name)) return take_driver_word(*word, name, value);
    unknown(name, may_show);
  }

  void complain(std::string complaint) { address.mistakes.push_back(std::move(complaint)); }

  SourceAddress finish() {
    finish_ssl();
    return std::move(address);
  }

  // The last one wins, as in libpq; an empty value is as good as none.
  void set(const std::string& keyword, const std::string& value) {
    auto& all = address.parameters;
    std::erase_if(all, [&](const auto& parameter) { return parameter.first == keyword; });
    if (!value.empty()) all.emplace_back(keyword, value);
  }

  SourceAddress address;

 private:
  void take_keyword(const Keyword& keyword, const std::string& value) {
    switch (keyword.use) {
      case KeywordUse::secret:
        (keyword.name == "password" ? address.password : address.key_password) = Secret(value);
        return;
      case KeywordUse::ours:
        address.dropped.push_back(keyword.name);
        return;
      case KeywordUse::unsupported:
        return complain("walrelay does not support \"" + keyword.name + "\"; remove it");
      case KeywordUse::pass:
        break;
    }
    const std::string normal = keyword.name == "sslmode" ? normal_sslmode(value) : value;
    if (const auto complaint = normal.empty() ? "" : check_keyword(keyword, normal); !complaint.empty()) {
      return complain("\"" + keyword.name + "\" " + complaint);
    }
    set(keyword.name, normal);
  }

  void take_driver_word(const DriverWord& word, const std::string& name, const std::string& value) {
    if (word.keyword.empty()) {
      address.dropped.push_back(name);
      return;
    }
    std::string meant = value;
    if (name == "tcpKeepAlive") meant = lowered(value) == "false" ? "0" : "1";
    if (name == "targetServerType") meant = server_type(value);
    take_keyword(*find_keyword(word.keyword), meant);
  }

  void unknown(const std::string& name, bool may_show) {
    if (!may_show || !is_printable_name(name)) {
      return complain("a parameter has a name that neither libpq nor any known driver has; " +
                      std::string(kEncodeRule));
    }
    std::vector<std::string> known;  // of equally near words the first is taken
    for (const Keyword& keyword : libpq_keywords()) known.push_back(keyword.name);
    for (std::string& word : driver_words()) known.push_back(std::move(word));
    complain("neither libpq nor any known driver has a parameter \"" + name + "\"" + did_you_mean(name, known));
  }

  // node-postgres says no-verify for what libpq calls require; sqlx writes VERIFY_CA.
  static std::string normal_sslmode(std::string_view value) {
    std::string mode = lowered(value);
    std::replace(mode.begin(), mode.end(), '_', '-');
    return mode == "no-verify" ? "require" : mode;
  }

  static std::string server_type(const std::string& value) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kTypes{
        {{"master", "primary"},
         {"primary", "primary"},
         {"slave", "standby"},
         {"secondary", "standby"},
         {"preferSlave", "prefer-standby"},
         {"preferSecondary", "prefer-standby"},
         {"preferPrimary", "any"},
         {"any", "any"}}};
    for (const auto& [theirs, ours] : kTypes) {
      if (theirs == value) return std::string(ours);
    }
    return value;
  }

  // "ssl" and its companions are settled last, because "sslmode" may stand behind them.
  void finish_ssl() {
    const auto& all = address.parameters;
    const bool has_mode = std::any_of(all.begin(), all.end(), [](const auto& p) { return p.first == "sslmode"; });
    if (ssl_ && !has_mode) set_ssl(lowered(*ssl_));
    if (accept_ && *accept_ == "strict") set("sslmode", "verify-full");
    const bool validates = factory_ && factory_->find("NonValidating") == std::string::npos;
    if (factory_ && !validates && ssl_ && lowered(*ssl_) != "false") set("sslmode", "require");
  }

  void set_ssl(const std::string& value) {
    const bool yes = value == "true" || value == "1" || value == "on" || value.empty();
    const bool no = value == "false" || value == "0" || value == "off";
    if (no && jdbc_) return;  // JDBC's default is libpq's
    // JDBC verifies the server by default; libpq reads ssl=true as "require".
    if (yes || no) return set("sslmode", no ? "disable" : (jdbc_ ? "verify-full" : "require"));
    const std::string mode = normal_sslmode(value);
    if (!check_keyword(*find_keyword("sslmode"), mode).empty()) return complain("\"ssl\" must be true or false");
    set("sslmode", mode);
  }

  const bool jdbc_;
  std::optional<std::string> ssl_, accept_, factory_;
};

void take_hosts(const std::vector<HostPort>& hosts, Collector& collector) {
  std::string names;
  std::string ports;
  bool any_port = false;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (i > 0) {
      names += ',';
      ports += ',';
    }
    names += hosts[i].host;
    ports += hosts[i].port;
    any_port = any_port || !hosts[i].port.empty();
  }
  if (hosts.size() > 1 || !names.empty()) collector.set("host", names);
  if (any_port) collector.set("port", ports);
}

void take_url(const UrlParts& url, bool jdbc, Collector& collector) {
  const auto complain = [&](const std::string& complaint) {
    if (!complaint.empty()) collector.complain(complaint);
    return !complaint.empty();
  };
  Authority authority;
  if (complain(parse_authority(url.authority, jdbc, authority))) return;
  if (url.path.find('@') != std::string_view::npos) {
    complain("an \"@\" stands behind the first \"/\"; " + std::string(kEncodeRule));
    return;
  }
  take_hosts(authority.hosts, collector);
  if (authority.user) collector.set("user", *authority.user);
  if (authority.password) collector.address.password = Secret(*authority.password);
  const auto database = percent_decode(url.path.substr(std::min<std::size_t>(1, url.path.size())), jdbc);
  if (!database) complain("a \"%\" in the database's name is not followed by two hexadecimal digits");
  if (database) collector.set("dbname", *database);
  std::vector<QueryWord> words;
  if (complain(parse_query(url.query, jdbc, words))) return;
  const bool may_show = url.query.find('@') == std::string_view::npos;
  for (const QueryWord& word : words) collector.take(word.name, word.value, may_show);
}

// "jdbc:postgresql://...", and the forms without a host: "jdbc:postgresql:database", "jdbc:postgresql:/".
void take_jdbc(std::string_view text, Collector& collector) {
  constexpr std::string_view kPrefix = "jdbc:postgresql:";
  if (!lowered(text).starts_with(kPrefix)) return collector.complain("this is no jdbc:postgresql:// URL");
  text.remove_prefix(kPrefix.size());
  UrlParts url;
  if (text.starts_with("//")) {
    const std::string whole = "postgresql:" + std::string(text);
    return take_url(*split_url(whole), true, collector);
  }
  const std::size_t question = std::min(text.find('?'), text.size());
  const std::string path = "/" + std::string(text.substr(text.starts_with('/') ? 1 : 0, question));
  url.path = std::string_view(path).substr(0, path.find('?'));
  if (question < text.size()) url.query = text.substr(question + 1);
  take_url(url, true, collector);
}

// libpq's key = value form: spaces around "=", values in single quotes, \' and \\ in both kinds of value.
class Conninfo {
 public:
  Conninfo(std::string_view text, Collector& collector) : rest_(text), collector_(collector) {}

  void run() {
    bool secret_before = false;  // behind an unquoted secret with a space in it, its rest looks like a name
    while (skip_space(), !rest_.empty()) {
      const std::size_t end = std::min(rest_.find_first_of("= \t\r\n"), rest_.size());
      const std::string name(rest_.substr(0, end));
      rest_.remove_prefix(end);
      skip_space();
      if (!rest_.starts_with('='))
        return collector_.complain("a word has no \"=\" behind it; quote values with spaces, as in password='a b'");
      rest_.remove_prefix(1);
      skip_space();
      std::string value;
      if (!take_value(value)) return collector_.complain("a quoted value is not closed by \"'\"");
      collector_.take(name, value, !secret_before);
      const Keyword* keyword = find_keyword(name);
      secret_before = secret_before || (keyword != nullptr && keyword->use == KeywordUse::secret);
    }
  }

 private:
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  bool take_value(std::string& value) {
    const bool quoted = rest_.starts_with('\'');
    std::size_t i = quoted ? 1 : 0;
    for (; i < rest_.size(); ++i) {
      if (quoted ? rest_[i] == '\'' : std::string_view(" \t\r\n").find(rest_[i]) != std::string_view::npos) break;
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      value += rest_[i];
    }
    if (quoted && i == rest_.size()) return false;
    rest_.remove_prefix(quoted ? i + 1 : i);
    return true;
  }

  std::string_view rest_;
  Collector& collector_;
};

bool is_postgres(const std::string& scheme) {
  // SQLAlchemy names its driver behind a "+".
  const std::string name = scheme.substr(0, scheme.find('+'));
  return name == "postgres" || name == "postgresql";
}

}  // namespace

SourceAddress parse_source(std::string_view text) {
  text = trim(text);
  const bool jdbc = lowered(text).starts_with("jdbc:");
  Collector collector(jdbc);
  if (jdbc) {
    take_jdbc(text, collector);
  } else if (const auto url = split_url(text)) {
    if (is_postgres(url->scheme)) {
      take_url(*url, false, collector);
    } else {
      collector.complain("the URL must begin with postgres://, postgresql:// or jdbc:postgresql://");
    }
  } else if (text.find('=') != std::string_view::npos) {
    Conninfo(text, collector).run();
  } else {
    collector.complain(
        "this is neither a URL, as in postgres://user:password@host:5432/database, nor of the form "
        "host=... dbname=...");
  }
  return collector.finish();
}

}  // namespace walrelay::config
