// Breaks what Redis and the slot agree on, and looks at what walrelay does about it. gap_test.cc has the tests; each
// table of breaks instantiates them.
//
//   prepare (a dump, a base backup, a replica ...) ─> rows come, go, change and are confirmed ─> happen
//     on_gap: rebuild   every key is as its row again, ghosts are gone, and no key of an untouched row was ever missing
//     on_gap: halt      one sentence and exit 6, at every start until told otherwise
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/gap_site.h"
#include "tests/support/presence_watch.h"

namespace walrelay::support {

struct Break {
  const char* name;
  const char* gap;       // the label of the metric
  const char* sentence;  // of the log, which tells this gap from others
  void (*happen)(GapSite& site);
  void (*prepare)(GapSite& site) = nullptr;
  bool while_down = true;  // walrelay is ended first, and started after
  bool keeps_keys = true;  // else Redis is empty after it: no ghosts, and every key is missing for a while
  bool writes = false;     // rows change all the time
  seconds within{60};      // to the metric
};
inline void PrintTo(const Break& at, std::ostream* out) { *out << at.name; }

class GapTest : public testing::TestWithParam<Break> {
 protected:
  static constexpr int kGap = 6;  // the exit code

  void bring_up(const std::string& more) {
    site_.fill();
    walrelay_.configure(site_.config(more));
    walrelay_.start();
    walrelay_.wait_ready();
    ASSERT_TRUE(site_.in_step());
    if (GetParam().prepare != nullptr) GetParam().prepare(site_);
    ASSERT_NO_FATAL_FAILURE(site_.change_and_confirm());
  }

  void do_break(const std::string& more) {
    if (GetParam().while_down) {
      ASSERT_EQ(walrelay_.terminate(), 0) << walrelay_.log();
    }
    watch_untouched_keys();
    const Redis* const before = site_.redis;
    ASSERT_NO_FATAL_FAILURE(GetParam().happen(site_));
    if (site_.redis != before) watch_untouched_keys();  // of the one that took its place
    if (!GetParam().while_down) return;
    if (GetParam().keeps_keys) {
      EXPECT_GT(site_.ghosts(), 0U);
    }
    walrelay_.configure(site_.config(more));
    walrelay_.start();
  }

  // Their rows stand on both sides, whatever happens.
  void watch_untouched_keys() {
    if (!GetParam().keeps_keys) return;
    watch_ = std::make_unique<PresenceWatch>(
        site_.redis->socket_path(), std::vector<std::string>{"number:500", "number:501", "number:750", "number:1000"});
  }

  void expect_gap() {
    const std::string label = "gap=\"" + std::string(GetParam().gap) + "\"";
    EXPECT_TRUE(eventually([&] { return walrelay_.metric("walrelay_gaps_total", label) >= 1.0; }, GetParam().within))
        << walrelay_.http("/metrics").body << walrelay_.log();
    EXPECT_GE(lines_with(walrelay_.log(), GetParam().sentence), 1U) << walrelay_.log();
    EXPECT_GE(lines_with(walrelay_.log(), "every table is read again in place"), 1U) << walrelay_.log();
  }

  void expect_healed() {
    EXPECT_TRUE(site_.in_step()) << walrelay_.log();
    walrelay_.wait_ready();
    if (GetParam().keeps_keys) {
      EXPECT_TRUE(eventually([&] { return site_.job().find("\"COMPLETED\"") != std::string::npos; })) << site_.job();
      EXPECT_EQ(site_.ghosts(), 0U);
    }
    site_.postgres->sql("INSERT INTO numbers VALUES (5000, 1, 'after'); DELETE FROM numbers WHERE id = 300");
    EXPECT_TRUE(site_.in_step()) << walrelay_.log();
    if (watch_ == nullptr) return;
    watch_->stop();
    EXPECT_EQ(watch_->offences(), "") << walrelay_.log();
    EXPECT_GT(watch_->looks(), 10U);
  }

  GapSite site_;
  Walrelay walrelay_{{.config = ""}};
  std::unique_ptr<PresenceWatch> watch_;
};

}  // namespace walrelay::support
