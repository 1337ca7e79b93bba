// walrelay.yaml(5): the same keys and kinds as the schema and docs/configuration.md.
#include <algorithm>
#include <array>

#include "config/schema.h"
#include "sidecar/manual.h"
#include "sidecar/manual_text.h"
#include "sidecar/mdoc.h"

namespace walrelay::sidecar {

namespace {

constexpr const char* kHead = R"(.\" Made by "walrelay manual config": do not edit.
.Dd November 28, 2026
.Dt WALRELAY.YAML 5
.Os
.Sh NAME
.Nm walrelay.yaml
.Nd configuration file of walrelay
.Sh DESCRIPTION
The configuration of
.Xr walrelay 1
is one YAML file, named by
.Fl \-config
or
.Ev WALRELAY_CONFIG .
JSON is YAML, too.
Every mistake is reported at once, with file, line and column; a key that nobody knows is one.
.Pp
Which value of a key wins, the first of these:
a flag
.Pq Fl \-set Ar flush.interval=0 ;
the environment
.Pq Ev WALRELAY_FLUSH_INTERVAL ;
the file; for addresses
.Ev DATABASE_URL , PG_URL , PGHOST
and its like, and
.Ev REDIS_URL ;
the default.
Mappings stand in the file only.
.Pp
.Nm walrelay Cm config example
prints a file to begin with,
.Nm walrelay Cm config show Fl \-origin
what is in effect and where it comes from.
Many keys can be changed while walrelay runs:
.Nm walrelay Cm reload .
.Sh VALUES
)";

constexpr std::array<Explained, 9> kValues = {{
    {"duration", "A whole number with its unit, ms, s, m, h or d, also several: 100ms, 5s, 1h30m; or 0."},
    {"size",
     "Bytes, 4096, or with a unit: k, M, G, T are powers of 1000, Ki, Mi, Gi, Ti powers of 1024; a B behind them means "
     "nothing."},
    {"template", "Text with columns in braces, user:{id}; quote it, because YAML reads { as the beginning of a map."},
    {"columns", "[id, name], {include: [...]} or {exclude: [...]}; with rename: {column: field} beside either."},
    {"expression", "SQL of SQLite over the row's columns, the captures and the lets."},
    {"lifetime",
     "A duration, {for: 5m}, {class: assets}, or {at: expires_at}: a column or an expression that gives a timestamp, "
     "or, "
     "with unit: s, ms or us, a number since the epoch; add: 1m makes it later. Beside for and class may stand jitter: "
     "10, so many percent off, and refresh: on_change."},
    {"explode", "{column: ..., field: ..., value: ..., where: ...}: expressions over the elements of a JSON column."},
    {"tables", "A map of tables, each with a column or a query: {orders: customer_id}."},
    {"${NAME}",
     "In any value: the variable of the environment; ${NAME:-text} where it may be missing, ${NAME:?message} where a "
     "message is to say so, $$ for a dollar sign."},
}};

constexpr const char* kExample = R"(.Bd -literal
source: {url: "${DATABASE_URL}"}
target: {url: "${REDIS_URL:\-redis://127.0.0.1:6379/0}"}
mappings:
  \- table: public.users
    write:
      \- hash: {key: "user:{id}", columns: {exclude: [password_hash]}, ttl: 7d}
.Ed
)";

std::string item(const std::string& name, const std::string& form) {
  // In an item's head the quotes of Markdown would be quoted once more.
  std::string plain;
  for (const char c : form) plain += c == '`' ? "" : std::string(1, c);
  return ".It Cm " + mdoc::quoted(name) + (plain.empty() ? "" : " Ar " + mdoc::quoted(plain)) + "\n";
}

std::string section_of(const std::string& key) {
  const std::size_t dot = key.find('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

std::string keys_of(const std::vector<config::ExplainedKey>& keys, const std::string& section) {
  std::string text = section.empty() ? ".Ss Keys of the top level\n" : ".Ss " + section + "\n";
  text += ".Bl -tag -width Ds\n";
  for (const auto& key : keys) {
    if (section_of(key.name) != section) continue;
    text += item(key.name, key.form) + mdoc::markdown_line(key.help);
    if (!key.fallback.empty())
      text += mdoc::markdown_line("Default: " + key.fallback + (key.fallback.ends_with('.') ? "" : "."));
  }
  return text + ".El\n";
}

// In the order of the table; the keys that belong to no section come first, and only once.
std::string all_keys(const std::vector<config::ExplainedKey>& keys) {
  std::vector<std::string> sections{""};
  for (const auto& key : keys) {
    const std::string section = section_of(key.name);
    if (std::find(sections.begin(), sections.end(), section) == sections.end()) sections.push_back(section);
  }
  std::string text;
  for (const std::string& section : sections) text += keys_of(keys, section);
  return text;
}

std::string all_kinds(const std::vector<config::KindRule>& kinds) {
  std::string text;
  for (const config::KindRule& kind : kinds) {
    text += ".Ss " + kind.name + "\n" + mdoc::markdown_line(kind.help) + ".Bl -tag -width Ds\n";
    for (const config::ParameterRule& rule : kind.parameters) {
      text += item(rule.name, config::form_of(rule)) + mdoc::markdown_line(rule.help);
      if (rule.required) text += "It must be given.\n";
    }
    text += ".El\n";
  }
  return text;
}

}  // namespace

std::string configuration_page(const std::vector<config::KindRule>& kinds) {
  std::string page = kHead;
  page += ".Bl -tag -width Ds\n";
  for (const Explained& value : kValues) {
    page += ".It Ar " + mdoc::quoted(value.what) + "\n" + mdoc::text_line(value.meaning);
  }
  page += ".El\n.Sh KEYS\n" + all_keys(config::explained_keys());
  page += ".Sh KINDS OF WRITE\nWhat may stand under\n.Cm mappings[].write ,\neach with its parameters:\n";
  page += all_kinds(kinds);
  page += ".Sh FILES\n.Bl -tag -width Ds\n.It Pa /etc/walrelay/walrelay.yaml\nThe configuration of the service.\n.El\n";
  page += ".Sh EXAMPLES\nEach user is a hash that lives for a week after its last change:\n";
  return page + kExample + ".Sh SEE ALSO\n.Xr walrelay 1\n";
}

}  // namespace walrelay::sidecar
