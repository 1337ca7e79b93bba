#include "tests/support/random_statements.h"

#include <algorithm>

namespace walrelay::support {
namespace {

const char* const kVersion = "nextval('versions')";
constexpr int kItems = 40, kDocs = 15, kEvents = 20, kEntries = 20, kFamilies = 8, kChurn = 10;

}  // namespace

int RandomStatements::own(int highest) {
  return random_.between(0, highest / sessions_ - 1) * sessions_ + session_ + 1;
}

std::string RandomStatements::transaction() {
  if (random_.chance(0.02)) return "BEGIN; " + many_items() + "; COMMIT";
  if (random_.chance(0.06)) return twins();
  std::string sql = "BEGIN";
  for (int left = random_.between(1, random_.chance(0.1) ? 25 : 4); left > 0; --left) {
    if (random_.chance(0.08)) {
      sql += "; SAVEPOINT s; " + statement() + "; " + statement() + "; ROLLBACK TO SAVEPOINT s";
    } else if (random_.chance(0.05)) {
      sql += "; SAVEPOINT s; " + statement() + "; RELEASE SAVEPOINT s";
    } else {
      sql += "; " + statement();
    }
  }
  return sql + (random_.chance(0.08) ? "; ROLLBACK" : "; COMMIT");
}

std::string RandomStatements::statement() {
  switch (random_.below(20)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
      return item();
    case 6:
      return swapped_items();
    case 7:
    case 8:
    case 9:
      return pair();
    case 10:
    case 11:
      return doc();
    case 12:
    case 13:
      return event();
    case 14:
    case 15:
      return entry();
    case 16:
    case 17:
      return family();
    case 18:
      return churn();
    default:
      return random_.chance(0.35) ? truncated() : item();
  }
}

std::string RandomStatements::new_item(int id) {
  return "INSERT INTO items (id, version, name, note, body, raw, bulk) VALUES (" + std::to_string(id) + ", " +
         kVersion + ", " + random_.text_literal() + ", " + quoted(random_.odd_text()) + ", " + random_.text_literal() +
         ", " + random_.bytes_literal() + ", " + random_.text_literal() +
         ") ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version, "
         "body = EXCLUDED.body";
}

std::string RandomStatements::item() {
  const int id = own(kItems);
  const std::string where = " WHERE id = " + std::to_string(id);
  const std::string set = std::string("UPDATE items SET version = ") + kVersion;
  switch (random_.below(10)) {
    case 0:
    case 1:
      return new_item(id);
    case 2:
      return set + ", name = " + random_.text_literal() + ", note = NULL" + where;
    case 3:
      return set + where;  // what is TOASTed does not change
    case 4:
      return "UPDATE items SET name = name" + where;
    case 5:
      return set + ", body = " + random_.large_literal() + ", raw = " + random_.bytes_literal() + where;
    case 6:
      return set + ", bulk = " + random_.text_literal() + where;
    case 7: {
      const std::string to = std::to_string(own(kItems));
      return set + ", id = " + to + where + " AND NOT EXISTS (SELECT FROM items WHERE id = " + to + ")";
    }
    case 8:
      return "DELETE FROM items" + where;
    default:
      return "DELETE FROM items" + where + "; " + new_item(id);
  }
}

// Two rows change places, by way of a number that nobody else has; what is TOASTed goes along unsent.
std::string RandomStatements::swapped_items() {
  const std::string a = std::to_string(own(kItems)), b = std::to_string(own(kItems));
  const std::string between = std::to_string(-1 - session_);
  const auto move = [](const std::string& from, const std::string& to) {
    return std::string("UPDATE items SET version = ") + kVersion + ", id = " + to + " WHERE id = " + from;
  };
  if (a == b) return move(a, between) + "; " + move(between, a);
  return move(a, between) + "; " + move(b, a) + "; " + move(between, b);
}

// Longer than flush.max_transaction where that is small.
std::string RandomStatements::many_items() {
  const int from = 1000 + random_.between(0, 1000);
  const std::string range = "id BETWEEN " + std::to_string(from) + " AND " + std::to_string(from + 300) + " AND id % " +
                            std::to_string(sessions_) + " = " + std::to_string(session_);
  if (random_.chance(0.4)) return std::string("UPDATE items SET version = ") + kVersion + " WHERE " + range;
  if (random_.chance(0.2)) return "DELETE FROM items WHERE " + range;
  return "INSERT INTO items (id, version, name, body) SELECT id, " + std::string(kVersion) + ", 'many', repeat(" +
         quoted(random_.letters(40)) + ", 10 + id % 70) FROM generate_series(" + std::to_string(from) + ", " +
         std::to_string(from + 300) + ") id WHERE " + range +
         " ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version";
}

std::string RandomStatements::odd_key() { return quoted(random_.odd_text()); }

std::string RandomStatements::pair() {
  const std::string b =
      quoted(random_.one_of(std::vector<std::string>{"", "x:", "y z", "%3A"}) + std::to_string(session_));
  const std::string a = odd_key();
  const std::string where = " WHERE a = " + a + " AND b = " + b;
  switch (random_.below(6)) {
    case 0:
      return "DELETE FROM pairs" + where;
    case 1: {
      const std::string to = odd_key();
      return std::string("UPDATE pairs SET version = ") + kVersion + ", a = " + to + where +
             " AND NOT EXISTS (SELECT FROM pairs WHERE a = " + to + " AND b = " + b + ")";
    }
    case 2:
      return std::string("UPDATE pairs SET version = ") + kVersion + where;
    default:
      return "INSERT INTO pairs VALUES (" + a + ", " + b + ", " + kVersion + ", " + random_.text_literal() +
             ") ON CONFLICT (a, b) DO UPDATE SET version = EXCLUDED.version, body = EXCLUDED.body";
  }
}

std::string RandomStatements::doc() {
  const std::string id = std::to_string(own(kDocs));
  const std::string where = " WHERE id = " + id;
  switch (random_.below(6)) {
    case 0:
      return "DELETE FROM docs" + where;
    case 1:
      return std::string("UPDATE docs SET version = ") + kVersion + ", ok = NOT ok" + where;
    case 2: {
      const std::string to = std::to_string(own(kDocs));
      return std::string("UPDATE docs SET version = ") + kVersion + ", id = " + to + where +
             " AND NOT EXISTS (SELECT FROM docs WHERE id = " + to + ")";
    }
    default:
      return "INSERT INTO docs (id, version, title, ok, amount, payload, tags, body) VALUES (" + id + ", " + kVersion +
             ", " + random_.text_literal() + ", " + (random_.chance(0.5) ? "true" : "NULL") + ", " +
             std::to_string(random_.between(-99999, 99999)) + "." + std::to_string(random_.below(1000)) +
             ", jsonb_build_object('k', " + quoted(random_.odd_text()) + "::text, 'n', " +
             std::to_string(random_.below(99)) + "), ARRAY[" + quoted(random_.odd_text()) + ", NULL, " +
             quoted(random_.odd_text()) + "], " + random_.text_literal() +
             ") ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version, title = EXCLUDED.title, "
             "payload = EXCLUDED.payload, tags = EXCLUDED.tags";
  }
}

std::string RandomStatements::event() {
  const std::string id = std::to_string(own(kEvents));
  const std::string part = std::to_string(random_.between(0, 4));  // 3 and 4 lie in the default partition
  const std::string where = " WHERE id = " + id + " AND part = " + part;
  switch (random_.below(6)) {
    case 0:
      return "DELETE FROM events" + where;
    case 1: {
      const std::string to = std::to_string(random_.between(0, 4));
      return std::string("UPDATE events SET version = ") + kVersion + ", part = " + to + where +
             " AND NOT EXISTS (SELECT FROM events WHERE id = " + id + " AND part = " + to + ")";
    }
    case 2:
      return std::string("UPDATE events SET version = ") + kVersion + where;
    default:
      return "INSERT INTO events (part, id, version, body) VALUES (" + part + ", " + id + ", " + kVersion + ", " +
             random_.text_literal() +
             ") ON CONFLICT (part, id) DO UPDATE SET version = EXCLUDED.version, body = EXCLUDED.body";
  }
}

std::string RandomStatements::entry() {
  const std::string id = std::to_string(own(kEntries));
  const std::string where = " WHERE id = " + id;
  switch (random_.below(6)) {
    case 0:
      return "DELETE FROM ledger" + where;
    case 1:
      return std::string("UPDATE ledger SET version = ") + kVersion + where;
    case 2:
      return std::string("UPDATE ledger SET version = ") + kVersion + ", note = " + random_.text_literal() + where;
    default:
      return "INSERT INTO ledger (id, version, note, body) VALUES (" + id + ", " + kVersion + ", " +
             random_.text_literal() + ", " + random_.text_literal() +
             ") ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version, note = EXCLUDED.note";
  }
}

std::string RandomStatements::family() {
  const std::string parent = std::to_string(own(kFamilies));
  switch (random_.below(5)) {
    case 0:
      return "DELETE FROM parents WHERE id = " + parent;  // the children go too
    case 1:
      return std::string("UPDATE parents SET version = ") + kVersion + " WHERE id = " + parent;
    default: {
      const std::string child = std::to_string(own(kFamilies * 3));
      return "INSERT INTO parents VALUES (" + parent + ", " + kVersion + ", " + quoted(random_.odd_text()) +
             ") ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version; INSERT INTO children VALUES (" + child +
             ", " + parent + ", " + kVersion + ", " + random_.text_literal() +
             ") ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version, parent = EXCLUDED.parent";
    }
  }
}

std::string RandomStatements::churn() {
  const std::string table = random_.chance(0.5) ? "churn_1" : "churn_2";
  const std::string id = std::to_string(own(kChurn));
  if (random_.chance(0.25)) return "DELETE FROM " + table + " WHERE id = " + id;
  return "INSERT INTO " + table + " (id, version, body) VALUES (" + id + ", " + kVersion + ", " +
         random_.text_literal() + ") ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version";
}

std::string RandomStatements::twins() {
  const std::string first = std::to_string(2 * session_), second = std::to_string(2 * session_ + 1);
  // Small, so that no limit allows to show half of it.
  const std::string small =
      std::string("UPDATE parents SET version = ") + kVersion + " WHERE id = " + std::to_string(own(kFamilies));
  return "BEGIN; UPDATE twins SET version = " + std::string(kVersion) + " WHERE id = " + first + "; " + small +
         "; UPDATE twins SET version = currval('versions'), filler = " + quoted(random_.odd_text()) + " WHERE id IN (" +
         first + ", " + second + "); COMMIT";
}

std::string RandomStatements::truncated() {
  static const std::string tables[] = {"docs",
                                       "ledger",
                                       "events",
                                       "parents CASCADE",
                                       "docs RESTART IDENTITY",
                                       "children",
                                       "pairs",
                                       "parents, children, ledger",
                                       "churn_1"};
  const std::string sql = "TRUNCATE " + (random_.chance(0.04) ? "items, pairs" : random_.one_of(tables));
  return random_.chance(0.5) ? sql : statement() + "; " + sql + "; " + statement();
}

}  // namespace walrelay::support
