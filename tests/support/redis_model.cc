#include "tests/support/redis_model.h"

#include <algorithm>

namespace walrelay::support {
namespace {

// What {column|enc} promises: percent signs, colons, braces, white space and control characters are percent-encoded.
std::string encoded(const std::string& text) {
  static const char digits[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '%' || c == ':' || c == '{' || c == '}') {
      result += {'%', digits[byte >> 4], digits[byte & 15]};
    } else {
      result += c;
    }
  }
  return result;
}

struct HashTable {
  const char* table;
  const char* prefix;
  std::vector<std::string> key;  // columns
  bool encode = false;
};

const HashTable kHashes[] = {{"items", "item", {"id"}},           {"pairs", "pair", {"a", "b"}, true},
                             {"events", "event", {"part", "id"}}, {"ledger", "entry", {"id"}},
                             {"parents", "parent", {"id"}},       {"children", "child", {"id"}},
                             {"twins", "twin", {"id"}},           {"marker", "marker", {"id"}},
                             {"churn_1", "churn:1", {"id"}},      {"churn_2", "churn:2", {"id"}}};

void add_rows(const HashTable& hash, const SqlTable& rows, RedisContent& content) {
  for (const auto& row : rows.rows) {
    std::map<std::string, std::string> fields;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i]) fields[rows.columns[i]] = *row[i];
    }
    std::string key = hash.prefix;
    for (const auto& column : hash.key) key += ":" + (hash.encode ? encoded(fields.at(column)) : fields.at(column));
    content[key] = std::move(fields);
  }
}

std::string shown(const std::map<std::string, std::string>& fields) {
  std::string text = "{";
  for (const auto& [name, value] : fields) {
    text += " " + name + "=" + value.substr(0, 60);
    if (value.size() > 60) text += "... (" + std::to_string(value.size()) + ")";
  }
  return text + " }";
}

std::string difference(const std::string& key, const std::map<std::string, std::string>& row,
                       const std::map<std::string, std::string>& found) {
  std::map<std::string, std::string> only_row, only_found;
  const auto missing_in = [](const auto& other) {
    return [&other](const auto& field) {
      const auto at = other.find(field.first);
      return at == other.end() || at->second != field.second;
    };
  };
  std::copy_if(row.begin(), row.end(), std::inserter(only_row, only_row.end()), missing_in(found));
  std::copy_if(found.begin(), found.end(), std::inserter(only_found, only_found.end()), missing_in(row));
  return key + ": the row says " + shown(only_row) + ", Redis " + shown(only_found) + " (versions " +
         (row.contains("version") ? row.at("version") : "?") + ", " +
         (found.contains("version") ? found.at("version") : "?") + ")";
}

}  // namespace

RedisContent content_of_tables(SqlConnection& connection) {
  RedisContent content;
  connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
  for (const auto& hash : kHashes) {
    const auto there = connection.run("SELECT to_regclass(" + quoted(hash.table) + ") IS NOT NULL");
    if (there.rows[0][0] != "t") continue;
    add_rows(hash, connection.run("SELECT * FROM " + std::string(hash.table)), content);
  }
  for (const auto& row : connection.run("SELECT 'doc:' || id, to_jsonb(docs) FROM docs").rows) {
    content[*row[0]][""] = *row[1];
  }
  connection.run("COMMIT");
  return content;
}

RedisContent content_of_redis(RedisClient& redis, SqlConnection& connection, const std::string& own_prefix) {
  RedisContent content;
  for (const auto& key : redis.keys()) {
    if (key.starts_with(own_prefix)) continue;
    const std::string type = redis.call({"TYPE", key}).text;
    if (type == "hash") {
      content[key] = redis.hgetall(key);
    } else if (type == "string") {
      const std::string text = redis.command("GET", key);
      content[key][""] = connection.run("SELECT $1::jsonb", {text}).rows[0][0].value_or("NULL");
    } else if (type != "none") {
      content[key][""] = "a key of type " + type;
    }
  }
  return content;
}

std::string differences(const RedisContent& tables, const RedisContent& redis) {
  constexpr int kShown = 12;
  int count = 0;
  std::string text;
  const auto add = [&](const std::string& line) {
    if (++count <= kShown) text += "\n  " + line;
  };
  for (const auto& [key, row] : tables) {
    const auto found = redis.find(key);
    if (found == redis.end()) {
      add(key + ": missing in Redis; the row is " + shown(row));
    } else if (found->second != row) {
      add(difference(key, row, found->second));
    }
  }
  for (const auto& [key, found] : redis) {
    if (!tables.contains(key)) add(key + ": has no row; Redis holds " + shown(found));
  }
  return count == 0 ? "" : std::to_string(count) + " differences:" + text;
}

}  // namespace walrelay::support
