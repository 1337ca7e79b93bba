// source.*
#include <algorithm>

#include "config/key_table.h"

namespace walrelay::config {

namespace {

constexpr std::size_t kLongestName = 63;  // PostgreSQL cuts names beyond

std::string check_slot(const std::string& text) {
  const bool good = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
  if (good && !text.empty() && text.size() <= kLongestName) return "";
  return "must be 1 to 63 lower-case letters, digits or underscores";
}

std::string check_name(const std::string& text) {
  return !text.empty() && text.size() <= kLongestName ? "" : "must be a name of 1 to 63 bytes";
}

std::vector<Key> address_keys() {
  std::vector<Key> out = {
      {.name = "source.url",
       .type = Type::url,
       .help = "PostgreSQL's address: `postgres://`, `postgresql://`, `jdbc:postgresql://` or `host=... dbname=...`.",
       .address = true,
       .default_words = "`DATABASE_URL`, `PG_URL`, `PGHOST` ...",
       .synonyms = {"uri", "dsn", "connection", "connection_string", "database_url", "jdbc_url"}},
      {.name = "source.url_file", .type = Type::url_file, .help = "A file that holds the URL.", .address = true}};
  for (const Keyword& keyword : libpq_keywords()) {
    if (keyword.use != KeywordUse::pass) continue;
    Type type = Type::text;
    if (!keyword.choices.empty()) type = Type::choice;
    if (keyword.number) type = Type::integer;
    out.push_back({.name = "source." + keyword.name,
                   .type = type,
                   .help = keyword.help,
                   .choices = keyword.choices,
                   .minimum = -1,
                   .keyword = &keyword,
                   .address = true});
    if (keyword.name == "user") out.back().synonyms = {"username", "role"};
    if (keyword.name == "host") out.back().synonyms = {"hostname", "server"};
  }
  const std::vector<Key> secrets = {{.name = "source.database",
                                     .help = "The same as `source.dbname`.",
                                     .address = true,
                                     .stands_for = "source.dbname",
                                     .synonyms = {"db"}},
                                    {.name = "source.password",
                                     .type = Type::secret,
                                     .field = AT(source.password),
                                     .help = "Password of the role.",
                                     .address = true,
                                     .synonyms = {"pass", "secret"}},
                                    {.name = "source.password_file",
                                     .type = Type::secret_file,
                                     .field = AT(source.password),
                                     .help = "A file that holds the password; read again at every connect.",
                                     .address = true},
                                    {.name = "source.sslpassword",
                                     .type = Type::secret,
                                     .field = AT(source.key_password),
                                     .help = "Password of the client certificate's key.",
                                     .address = true},
                                    {.name = "source.sslpassword_file",
                                     .type = Type::secret_file,
                                     .field = AT(source.key_password),
                                     .help = "A file that holds the password of the client certificate's key.",
                                     .address = true}};
  out.insert(out.end(), secrets.begin(), secrets.end());
  return out;
}

std::vector<Key> slot_keys() {
  return {
      {.name = "source.slot",
       .field = AT(source.slot),
       .help = "Logical replication slot; also names the checkpoint in Redis. A dash or a dot, as in a Pod's name, "
               "counts as "
               "an underscore.",
       .check = check_slot,
       .synonyms = {"slot_name"}},
      {.name = "source.publication",
       .field = AT(source.publication),
       .help = "Publication to follow.",
       .check = check_name,
       .synonyms = {"publication_name"}},
      {.name = "source.temporary_slot",
       .type = Type::flag,
       .field = AT(source.temporary_slot),
       .help = "Use a slot that PostgreSQL drops at the end of the session; every start loads all rows again."},
      {.name = "source.create_slot",
       .type = Type::flag,
       .field = AT(source.create_slot),
       .help = "Create the slot when it does not exist."},
      {.name = "source.manage_publication",
       .type = Type::flag,
       .field = AT(source.manage_publication),
       .help = "Create the publication and keep it equal to the mapped tables."},
      {.name = "source.slot_timeout",
       .type = Type::duration,
       .field = AT(source.slot_timeout),
       .help = "How long creating the slot may wait for transactions that are running."},
      {.name = "source.status_interval",
       .type = Type::duration,
       .field = AT(source.status_interval),
       .help = "How often PostgreSQL is told the position.",
       .default_words = "a third of the server's `wal_sender_timeout`, at most 10s"},
      {.name = "source.format",
       .type = Type::choice,
       .field = AT(source.format),
       .help = "How column values travel; `auto` is binary where every column's type allows it.",
       .choices = {"auto", "text", "binary"}},
  };
}

}  // namespace

std::vector<Key> source_keys() {
  std::vector<Key> all = address_keys();
  for (Key& key : slot_keys()) all.push_back(std::move(key));
  return all;
}

}  // namespace walrelay::config
