// The page as a text: what may stand in it, what may not, and that its policy fits it.
#include "sidecar/status_page.h"

#include <gmock/gmock.h>

#include "sidecar/html.h"
#include "sidecar/page/embedded.h"
#include "sinks/digest.h"

namespace walrelay::sidecar {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Html, EscapesWhatCouldEndATextOrAnAttribute) {
  EXPECT_EQ(escaped("<b a=\"x\" c='y'>&amp;"), "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;");
  EXPECT_EQ(escaped("\xC3\xBC plain"), "\xC3\xBC plain");
}

TEST(Html, FillsEveryPlaceOnce) {
  EXPECT_EQ(filled("a {{x}} b {{y}} c", {{"x", "{{y}}"}, {"y", "2"}}), "a {{y}} b 2 c");
  EXPECT_THROW(filled("{{z}}", {{"x", "1"}}), std::logic_error);
  EXPECT_THROW(filled("{{x", {{"x", "1"}}), std::logic_error);
}

TEST(Html, AChartIsReadAtItsRight) {
  Chart chart{"Lag", "lag", 1, [](double value) { return std::to_string(static_cast<int>(value)) + " s"; }, {}};
  EXPECT_THAT(chart_html(chart), HasSubstr("now nothing yet, highest 0 s"));
  EXPECT_THAT(chart_html(chart), Not(HasSubstr("class=\"line\"")));
  chart.values = {2, 4};
  EXPECT_THAT(chart_html(chart), HasSubstr("now 4 s, highest 4 s"));
  EXPECT_THAT(chart_html(chart), HasSubstr("class=\"line\" d=\"M712 48.0L716 4.0\""));
  chart.values = {0.5};  // below its least scale
  EXPECT_THAT(chart_html(chart), HasSubstr("class=\"line\" d=\"M716 48.0\""));
}

class StatusPageTest : public ::testing::Test {
 protected:
  HttpAnswer page() {
    const Overview overview{status_, history_, jobs_, config_, names_, tables_, 10000000000, 900000000};
    return status_page(overview, "token: <***>\n",
                       [](std::string_view name) { return name == "WalrelayRedisMemoryHigh"; });
  }
  Status status_;
  History history_;
  JobBoard jobs_;
  config::Config config_;
  std::optional<std::vector<std::string>> names_;
  std::vector<TableReport> tables_;
};

TEST_F(StatusPageTest, NothingThatAUserNamedIsMarkup) {
  const std::string evil = "</script><img src=x onerror=\"a\">'";
  status_.slot = status_.last_error = status_.wal_status = status_.postgres_peer = status_.redis_version = evil;
  status_.failures.note(evil, evil, 1000000);
  names_ = {evil};
  tables_ = {{evil, {evil}, true, {}}};
  Job job;
  job.mapping = evil;
  jobs_.request(job, 1000000);
  job.kind = JobKind::verify;
  jobs_.request(job, 1000000);
  jobs_.finish("verify \"" + std::string("</script><img src=x onerror=\"\"a\"\">'") + "\"", JobStatus::failed, evil,
               2000000);
  for (const State state : {State::waiting, State::connecting, State::loading, State::streaming}) {
    status_.state = state;
    status_.loading_table = evil;
    const std::string body = page().body;
    EXPECT_THAT(body, Not(HasSubstr("<img")));
    EXPECT_THAT(body, HasSubstr("&lt;img src=x"));
    EXPECT_EQ(body.find("</script>"), body.rfind("</script>"));
  }
}

TEST_F(StatusPageTest, ThePolicyAllowsItsOwnStyleAndScriptAndNothingElse) {
  const HttpAnswer answer = page();
  EXPECT_EQ(answer.type, "text/html; charset=utf-8");
  const auto between = [&](const std::string& begin, const std::string& end) {
    const std::size_t from = answer.body.find(begin) + begin.size();
    return answer.body.substr(from, answer.body.find(end, from) - from);
  };
  EXPECT_THAT(answer.policy, HasSubstr("default-src 'none'; style-src 'sha256-" +
                                       sinks::sha256_base64(between("<style>", "</style>")) + "'; script-src 'sha256-" +
                                       sinks::sha256_base64(between("<script>", "</script>")) + "'"));
  EXPECT_THAT(answer.policy, Not(HasSubstr("unsafe")));
  for (const char* unwanted : {"http:", "https:", "style=", "onclick", "onload", "@import", "url("}) {
    std::string body = answer.body;
    if (const auto icon = body.find("http://www.w3.org/2000/svg"); icon != std::string::npos) body.erase(icon, 5);
    EXPECT_THAT(body, Not(HasSubstr(unwanted)));
  }
}

TEST_F(StatusPageTest, StaysSmallWithManyMappingsAndErrors) {
  names_.emplace();
  status_.state = State::streaming;
  for (int i = 0; i < 5000; ++i) {
    names_->push_back("mapping number " + std::to_string(i));
    tables_.push_back({"public.t" + std::to_string(i), {names_->back()}, false, {1, 2, 3, 4}});
  }
  for (int i = 0; i < 40; ++i) status_.failures.note("OOM", "Redis is full " + std::to_string(i), 1000000);
  for (int i = 0; i < 2000; ++i) history_.sample(status_, i * 1000000LL + 1);
  const std::string body = page().body;
  EXPECT_LT(body.size(), 60000U);
  EXPECT_THAT(body, HasSubstr("The 50 with the most changes, of 5,000."));
}

TEST_F(StatusPageTest, ErrorsLeadToTheirRunbooksWhereThereAreAny) {
  status_.failures.note("OOM", "one", 1000000);
  status_.failures.note("gap", "two", 1000000);
  const std::string body = page().body;
  EXPECT_THAT(body, HasSubstr("<a href=\"runbooks/WalrelayRedisMemoryHigh\">"));
  EXPECT_THAT(body, Not(HasSubstr("WalrelayCacheGap")));
}

TEST_F(StatusPageTest, SaysHowFarARebuildIs) {
  names_ = {"users"};
  tables_ = {{"public.users", {"users"}, false, {}}};
  Job job;
  job.mapping = "users";
  jobs_.request(job, 9990000000);
  Job* running = jobs_.find("users");
  running->processed = 500;
  running->total = 2000;
  running->phase = JobPhase::reading;
  EXPECT_THAT(page().body, HasSubstr("Rebuild: reading, 500 rows of about 2,000, 50 a second, about 30 s left<progress "
                                     "aria-label=\"Rebuild of users\" max=\"2000\" value=\"500\"></progress>"));
}

}  // namespace
}  // namespace walrelay::sidecar
