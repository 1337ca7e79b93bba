// A reader of Redis that remembers every look that missed a key that is never to go.
#pragma once

#include <string>
#include <vector>

#include "tests/support/onlooker.h"

namespace walrelay::support {

class PresenceWatch : public Onlooker {
 public:
  PresenceWatch(const std::string& redis_socket, const std::vector<std::string>& keys);
};

}  // namespace walrelay::support
