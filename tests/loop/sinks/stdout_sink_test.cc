// What `run --dry-run` prints.
#include "sinks/stdout_sink.h"

#include "sinks/resp.h"
#include "tests/loop/sinks/redis_sink_fixture.h"

namespace walrelay::sinks {
namespace {

TEST(Readable, QuotesWhatNeedsIt) {
  struct Case {
    std::vector<std::string> words;
    std::string line;
  };
  const std::vector<Case> cases = {
      {{"SET", "k", "v"}, "SET k v\n"},
      {{"SET", "k", ""}, "SET k \"\"\n"},
      {{"SET", "a b", "x\"y\\z'"}, "SET \"a b\" \"x\\\"y\\\\z'\"\n"},
      {{"SET", "k", "line\nnext\ttab"}, "SET k \"line\\nnext\\x09tab\"\n"},
      {{"SET", "k", std::string("\0\x7f", 2)}, "SET k \"\\x00\\x7f\"\n"},
      {{"SET", "k", "Zürich"}, "SET k \"Zürich\"\n"},
      {{"SET", "k", "#x"}, "SET k \"#x\"\n"},
  };
  for (const Case& one : cases) {
    std::string bytes;
    resp::append_header(bytes, one.words.size());
    for (const std::string& word : one.words) resp::append_bulk(bytes, word);
    EXPECT_EQ(to_readable(bytes), one.line);
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      EXPECT_THROW(to_readable(std::string_view(bytes).substr(0, size)), std::runtime_error) << size;
    }
  }
  EXPECT_EQ(to_readable(""), "");
}

TEST(StdoutSink, PrintsRowsCommitsRemovalsAndRefusals) {
  event::Loop loop;
  Recorder events;
  std::string printed;
  StdoutSink sink(loop, [&](std::string_view lines) { printed += lines; }, events);
  Batch& batch = sink.batch();
  batch.open(1, "k", Effect::partial);
  batch.command(3);
  for (const std::string word : {"SET", "k", "v"}) batch.argument(word);
  batch.close();
  sink.row(inside(0x10, 0x1f, 1));
  EXPECT_EQ(printed, "SET k v\n");
  sink.dead_letter({{"public.t", "insert", "{}", ""}, "", "", "column a is NULL"});
  sink.remove_owned({{"t:*", [](std::string_view) { return true; }}}, {1});
  sink.row(inside(0x10, 0x1f, 2));
  sink.commit(Lsn{0x20}, 42);
  EXPECT_EQ(printed,
            "SET k v\n"
            "# cannot write a row of public.t: column a is NULL\n"
            "# remove every key like t:*\n"
            "# commit 0/20\n");
  EXPECT_TRUE(events.applied.empty());
  EXPECT_FALSE(sink.drained());
  run_until(loop, [&] { return sink.drained(); });
  EXPECT_THAT(events.applied, ElementsAre(at(0x20)));
  EXPECT_THAT(events.commit_times, ElementsAre(42));
  sink.advance(Lsn{0x30});
  run_until(loop, [&] { return sink.drained(); });
  EXPECT_TRUE(events.recorded.empty());  // a dry run tells PostgreSQL nothing
  EXPECT_EQ(events.applied.size(), 1U);
  EXPECT_FALSE(sink.full());
}

}  // namespace
}  // namespace walrelay::sinks
