#include "ops/diagnose.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "schema/kernel_file.h"
#include "support/databases.h"
#include "support/temp_dir.h"

namespace hypha {
namespace {

using Json = nlohmann::json;

TEST(Diagnose, AHealthyStore) {
  auto db = test::OpenFreshMemory();
  EXPECT_EQ(Json::parse(DiagnoseJson(*db).value()),
            Json::parse(R"({"quarantine":[],"integrity":"ok","schema":{"version":2,"verified":true}})"));
}

TEST(Diagnose, ShowsTheQuarantineWithoutItsValues) {
  test::TempDir dir;
  test::MakeKernelFile(dir.File());
  auto db = test::Open(test::FileOptions(dir.File()));
  ASSERT_TRUE(Migrate(*db, {2, false, ""}, Hooks()).ok());
  const std::string text = DiagnoseJson(*db).value();
  const Json report = Json::parse(text);
  EXPECT_EQ(report["quarantine"].size(), static_cast<std::size_t>(test::kBadRows + test::kBadNamespaces));
  EXPECT_EQ(
      report["quarantine"][0],
      Json::parse(R"({"source":"storage_entries","id":5000,"namespace":"bad","key":"","reason":"the name is blank"})"));
  EXPECT_EQ(text.find("{\\\"a\\\":"), std::string::npos);
}

TEST(Diagnose, SaysWhenTablesWereChanged) {
  auto db = test::OpenFreshMemory();
  ASSERT_TRUE(db->Exec("CREATE INDEX hypha_other ON hypha_entries(version)").ok());
  const Json report = Json::parse(DiagnoseJson(*db).value());
  EXPECT_EQ(report["schema"]["verified"], false);
  EXPECT_TRUE(report["schema"].contains("problem"));
}

TEST(Diagnose, StatusCountsEntriesNamespacesAndBytes) {
  auto db = test::OpenFreshMemory();
  KvStatements statements(*db);
  Hooks hooks;
  EntryWriter writer(statements, hooks);
  EntryReader reader(statements, writer.namespaces());
  Json status = Json::parse(StatusJson(reader, *db).value());
  EXPECT_EQ(status["size"], 0);
  EXPECT_EQ(status["namespaces"], 1);
  ASSERT_TRUE(db->Exec("BEGIN IMMEDIATE").ok());
  writer.OnBegin();
  for (const char* ns : {"one", "two", "default"}) ASSERT_TRUE(writer.Apply(test::SetOp("k", "1", ns)).status.ok());
  ASSERT_TRUE(db->Exec("COMMIT").ok());
  status = Json::parse(StatusJson(reader, *db).value());
  EXPECT_EQ(status["size"], 3);
  EXPECT_EQ(status["namespaces"], 3);
  EXPECT_EQ(status["schemaVersion"], 2);
  EXPECT_GT(status["bytes"], 0);
  EXPECT_GT(status["walBytes"], 0);
}

}  // namespace
}  // namespace hypha
