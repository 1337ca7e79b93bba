# Writes a C++ file that holds the commit the sources are of. Run by every build; the file changes only when the commit
# does, so that nothing is compiled and linked again without need.
#
#   cmake -DOUTPUT=revision.cc -DSOURCE=<the project> -DREVISION=<what is known already, or ""> -P revision.cmake
#
# "unknown" without git, without a repository, and where the repository is not the project's own: sources unpacked inside
# somebody else's are not of that one's commit. What was changed since the commit says so.
function(git result)
  execute_process(COMMAND git --no-optional-locks -C "${SOURCE}" ${ARGN} OUTPUT_VARIABLE out RESULT_VARIABLE status ERROR_QUIET
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(${result} "${out}" PARENT_SCOPE)
  set(${result}_status "${status}" PARENT_SCOPE)
endfunction()

if(REVISION STREQUAL "")
  git(above rev-parse --show-cdup)
  git(commit rev-parse --verify HEAD)
  if(above_status EQUAL 0 AND above STREQUAL "" AND commit_status EQUAL 0)
    git(changes status --porcelain --untracked-files=no)
    set(REVISION "${commit}")
    if(NOT changes STREQUAL "")
      string(APPEND REVISION "-dirty")
    endif()
  else()
    set(REVISION unknown)
  endif()
endif()
if(NOT REVISION MATCHES "^[0-9A-Za-z._+-]+$")
  message(FATAL_ERROR "WALRELAY_REVISION is \"${REVISION}\": give a commit, as `git rev-parse HEAD` prints it")
endif()

set(text "// Made by revision.cmake.\n#include \"sidecar/version.h\"\n\n")
string(APPEND text "namespace walrelay::sidecar {\n\nstd::string revision() { return \"${REVISION}\"; }\n\n}  // namespace walrelay::sidecar\n")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" before)
endif()
if(NOT text STREQUAL "${before}")
  file(WRITE "${OUTPUT}" "${text}")
endif()
