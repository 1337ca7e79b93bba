// What the server, or libpq, said about a failure: in one line, without the places in the server's source code.
#pragma once

#include <string>
#include <string_view>

namespace walrelay::replication {

struct ServerWords {
  std::string sqlstate;  // empty: no server said it
  std::string text;      // "all replication slots are in use (53400). Free one or increase max_replication_slots."
  bool fatal = false;    // the server closes the connection after it
};

// The parts of an ErrorResponse put together.
ServerWords server_words(std::string_view sqlstate, std::string_view primary, std::string_view detail,
                         std::string_view hint, bool fatal);

// From the text that libpq has for a failed connection in its verbose form: there it is the only way to the SQLSTATE.
//
//   connection to server at "db" (10.0.0.1), port 5432 failed: FATAL:  28P01: password authentication failed ...
//   LOCATION:  auth_failed, auth.c:338
ServerWords words_of_connect_failure(std::string_view verbose);

// Lines joined, white space at their ends removed.
std::string one_line(std::string_view text);

}  // namespace walrelay::replication
