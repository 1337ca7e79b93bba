// What programs say that are not walrelay itself: the tests. The program has a file of the build in this one's place
// (revision.cmake), which the linker takes first, so that a new commit links one program again and not every test.
#include "sidecar/version.h"

namespace walrelay::sidecar {

std::string revision() { return "unknown"; }

}  // namespace walrelay::sidecar
