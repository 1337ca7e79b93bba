// The Lua that keeps RoaringBitmaps in Redis in their portable serialisation
// (github.com/RoaringBitmap/RoaringFormatSpec): written here, read here and by every RoaringBitmap library.
//
//   cookie 12346 | number of containers | (high 16 bits, cardinality - 1) each | offset each | containers
//   cookie 12347 + (number - 1) << 16 | run flags | the same, offsets only from 4 containers on | containers
//
//   container: up to 4096 values: their low 16 bits, ascending; more: 8192 bytes of bits; with its run flag: runs
//
// A change touches one container; run containers of it become one of the two other forms. What is written has the form
// that a library gives a bitmap of the same values that was not optimised for runs; other run containers stay.
#pragma once

#include "sinks/scripts.h"

namespace walrelay::sinks {

const std::string& roaring_functions();  // local function roaring_change(key, value, there)
const Script& roaring_has_script();      // KEYS: key; value. Gives 1 or 0

}  // namespace walrelay::sinks
