// Publications on a real server: made, mended, left alone.
#include "tests/system/catalogue_fixture.h"

namespace walrelay::replication {
namespace {

using PublicationTest = CatalogueTest;

TEST_F(PublicationTest, IsCreatedAndBroughtToExactlyTheseTables) {
  const std::string name = "it's \"mine\"";
  EXPECT_EQ(run_task(loop_, find_publication(admin(), name)), std::nullopt);
  EXPECT_EQ(apply(name, pick({"public.plain", "Odd \"schema\".it's.a table", "public.parted"})), 1U);
  EXPECT_THAT(published(name), ElementsAre("Odd \"schema\".it's.a table", "public.parted", "public.plain"));
  EXPECT_EQ(apply(name, pick({"public.plain", "public.by_index", "public.base"})), 2U);
  EXPECT_THAT(published(name), ElementsAre("public.base", "public.by_index", "public.plain"));  // without heir
  EXPECT_EQ(apply(name, pick({"public.plain"})), 1U);
  EXPECT_EQ(apply(name, {}), 1U);
  EXPECT_THAT(published(name), IsEmpty());
  EXPECT_EQ(apply("empty from the start", {}), 1U);
}

TEST_F(PublicationTest, MendsOneThatSomebodyElseMade) {
  postgres_->sql(
      "CREATE PUBLICATION theirs FOR TABLE parted, parted_2024, heir, plain WHERE (id > 5) "
      "WITH (publish = 'insert')");
  const auto before = run_task(loop_, find_publication(admin(), "theirs")).value();
  EXPECT_TRUE(before.inserts);
  EXPECT_FALSE(before.updates || before.deletes || before.truncates || before.via_root || before.all_tables);
  EXPECT_THAT(before.tables, testing::Contains("public.parted_2025_a"));
  EXPECT_EQ(apply("theirs", pick({"public.parted", "public.plain"})), 2U);
  const auto after = run_task(loop_, find_publication(admin(), "theirs")).value();
  EXPECT_TRUE(after.inserts && after.updates && after.deletes && after.truncates && after.via_root);
  EXPECT_THAT(after.tables, ElementsAre("public.parted", "public.plain"));
  EXPECT_EQ(tables(admin(), "theirs").at("public.plain").row_filter, "(id > 5)");  // that stays theirs
}

TEST_F(PublicationTest, LeavesAllTablesAndWholeSchemasAlone) {
  postgres_->sql(
      "CREATE PUBLICATION everything FOR ALL TABLES; CREATE PUBLICATION one_schema FOR TABLES IN SCHEMA public "
      "WITH (publish_via_partition_root = true)");
  const auto everything = run_task(loop_, find_publication(admin(), "everything")).value();
  EXPECT_TRUE(everything.all_tables);
  EXPECT_THAT(everything.members, IsEmpty());
  EXPECT_EQ(apply("everything", pick({"public.plain"})), 0U);
  EXPECT_EQ(apply("one_schema", pick({"public.plain", "public.parted"})), 0U);
  EXPECT_EQ(apply("one_schema", pick({"public.plain", "Odd \"schema\".it's.a table"})), 1U);
}

TEST_F(PublicationTest, SaysWhoseItIs) {
  postgres_->sql("CREATE ROLE somebody LOGIN; CREATE PUBLICATION ours");
  EXPECT_TRUE(run_task(loop_, find_publication(admin(), "ours"))->owned);
  Connection somebody(loop_, options("somebody"));
  run_task(loop_, somebody.open());
  EXPECT_FALSE(run_task(loop_, find_publication(somebody, "ours"))->owned);
}

}  // namespace
}  // namespace walrelay::replication
