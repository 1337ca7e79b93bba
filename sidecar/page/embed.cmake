# Makes a C++ file that holds text files: no tool but CMake. Run by the build whenever one of them changes.
#
#   cmake -DOUTPUT=embedded.cc "-DFILES=openapi=.../openapi.json;..." "-DRUNBOOKS=.../A.md;..." -P embed.cmake
#
# Each is a raw string, cut in pieces because a compiler need not take a literal of more than 64 KiB.
function(append_literal path)
  file(READ "${path}" content)
  string(LENGTH "${content}" size)
  set(at 0)
  while(at LESS size)
    string(SUBSTRING "${content}" ${at} 8000 piece)
    string(APPEND text "\n    R\"embedded(${piece})embedded\"")
    math(EXPR at "${at} + 8000")
  endwhile()
  set(text "${text}" PARENT_SCOPE)
endfunction()

set(text "// Made by embed.cmake.\n#include \"sidecar/page/embedded.h\"\n\nnamespace walrelay::sidecar::embedded {\n")
foreach(entry IN LISTS FILES)
  string(REGEX MATCH "^([a-z_]+)=(.*)$" matched "${entry}")
  string(APPEND text "\nstd::string_view ${CMAKE_MATCH_1}() {\n  static constexpr char kText[] =")
  append_literal("${CMAKE_MATCH_2}")
  string(APPEND text ";\n  return {kText, sizeof kText - 1};\n}\n")
endforeach()
string(APPEND text "\nstd::string_view runbook([[maybe_unused]] std::string_view name) {\n")
foreach(path IN LISTS RUNBOOKS)
  get_filename_component(name "${path}" NAME_WE)
  string(APPEND text "  if (name == \"${name}\") {\n    static constexpr char kText[] =")
  append_literal("${path}")
  string(APPEND text ";\n    return {kText, sizeof kText - 1};\n  }\n")
endforeach()
string(APPEND text "  return {};\n}\n\n}  // namespace walrelay::sidecar::embedded\n")
file(WRITE "${OUTPUT}" "${text}")
