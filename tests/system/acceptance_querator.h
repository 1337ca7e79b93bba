// What the tests of examples/querator share: tables of items, as the application makes and fills them.
#pragma once

#include "tests/system/acceptance_fixture.h"

namespace walrelay::support {

class QueratorFixture : public Acceptance {
 protected:
  QueratorFixture() : Acceptance("querator") {}

  struct Item {
    std::string source = {};      // "": none
    std::string enqueue_at = {};  // "": at once
    std::string expires = "2031-01-01 00:00:00+00";
    std::string payload = {};  // an SQL literal of bytes, "": none
    std::string attempts = "0";
    bool conflict = false;  // ON CONFLICT DO NOTHING
  };
  // Ids sort by time; these differ in their last three letters.
  static std::string id(const std::string& ending) { return "2B6YnNCXVRqzPdOCpPSzj3aP" + ending; }
  static std::string literal(const std::string& text) { return text.empty() ? "NULL" : "'" + text + "'"; }
  static std::string insert(const std::string& table, const std::string& ending, const Item& item) {
    return "INSERT INTO \"" + table +
           "\" (id, source_id, enqueue_at, expire_deadline, created_at, attempts, payload) VALUES ('" + id(ending) +
           "', " + literal(item.source) + ", " + literal(item.enqueue_at) + ", '" + item.expires +
           "', '2026-02-05 10:00:00+00', " + item.attempts + ", " + literal(item.payload) + ")" +
           (item.conflict ? " ON CONFLICT (source_id) WHERE source_id IS NOT NULL DO NOTHING;" : ";");
  }
  // 10,240 bytes that no compression makes small: they are stored apart.
  std::string random_payload() const {
    return sql("SELECT '\\x' || string_agg(md5('p' || n), '' ORDER BY n) FROM generate_series(1, 640) n");
  }
  void create(const std::string& table) const { sql("CALL create_items('" + table + "')"); }
};

}  // namespace walrelay::support
