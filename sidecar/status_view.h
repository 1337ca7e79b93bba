// GET /api/v1/status for people: one sentence, then what it rests on. Members that an older or newer walrelay does not
// say are left out.
//
//   Live, 0.4 s behind                                       walrelay 0.1.0, up 3 d 1 h
//
//     PostgreSQL  connected  10.0.0.1:5432, 15.18
//     ...
//     MAPPING  TABLES  INSERTS  UPDATES  DELETES  JOB
#pragma once

#include <string>

#include "sidecar/json_look.h"

namespace walrelay::sidecar {

// For a terminal with colours and with characters of UTF-8, if it has these.
struct ViewChoices {
  bool colours = false, unicode = false;
};

std::string status_view(JsonElement status, ViewChoices choices);
// The same in one line, for logs: "2026-02-05T10:00:00Z  Live, 0.4 s behind  12 rows/s  20 MiB of WAL retained".
std::string status_line(JsonElement status);

}  // namespace walrelay::sidecar
