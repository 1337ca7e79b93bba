// Places where a crash would be most awkward: between two steps that must agree. The crash sweep kills the process at
// the k-th such place, for many k, and looks whether anything was lost. Nothing of this is in a release build.
#pragma once

namespace walrelay::event {

#ifdef WALRELAY_CRASH_POINTS
// Kills the process when this is the k-th place it passes, k being WALRELAY_CRASH_AT in the environment.
void crash_point() noexcept;
#else
inline void crash_point() noexcept {}
#endif

}  // namespace walrelay::event
