// One letter of the schema's text changed in the file: told when it is opened.
#include <fstream>
#include <iterator>

#include "exec/store_fixture.h"

namespace hypha {
namespace {

class DamagedSchemaTest : public test::StoreFixture {
 protected:
  void SetUp() override {
    {
      test::Share store = Open();
      std::vector<WriteOp> ops{test::SetOp("k", "{\"i\":1}")};
      ops.push_back(test::Op(WriteKind::kCreateIndex, "default", "", R"([{"field":"i"}])"));
      ops.push_back(test::Op(WriteKind::kCreateIndex, "default", "", R"([{"field":"u"}])"));
      ops.back().unique = true;
      for (const auto& outcome : store.Write(std::move(ops)).outcomes) ASSERT_TRUE(outcome.status.ok());
    }
    std::ifstream in(dir_.File(), std::ios::binary);
    sound_.assign(std::istreambuf_iterator<char>(in), {});
    ASSERT_EQ(CodeOf(Options(dir_.File())), Code::kOk);
  }

  // Changes the first letter of `word` after `start`, and opens.
  Code OpenedWith(const std::string& start, const std::string& word, bool read_only = false) {
    std::string damaged = sound_;
    const std::size_t at = damaged.find(word, damaged.find(start));
    EXPECT_NE(at, std::string::npos) << start << ", " << word;
    if (at == std::string::npos) return Code::kOk;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    std::ofstream(dir_.File(), std::ios::binary | std::ios::trunc)
        .write(damaged.data(), static_cast<std::streamsize>(damaged.size()));
    OpenOptions options = Options(dir_.File());
    options.read_only = read_only;
    return CodeOf(options);
  }

  std::string sound_;
};

TEST_F(DamagedSchemaTest, AnIndexThatUsersMade) {
  for (const bool read_only : {false, true}) {
    for (const char* index : {"CREATE INDEX hypha_ix_1", "CREATE INDEX hypha_ix_2", "CREATE UNIQUE INDEX hypha_ux_2"}) {
      EXPECT_EQ(OpenedWith(index, "hypha_extract", read_only), Code::kSchemaChanged) << index;
    }
  }
}

TEST_F(DamagedSchemaTest, AnEntryOfTheCatalogueOfIndexes) {
  EXPECT_EQ(OpenedWith("[{\"field\":\"i\"}]", "i\"}"), Code::kSchemaChanged);
}

TEST_F(DamagedSchemaTest, TheRecordOfMigrations) {
  EXPECT_EQ(OpenedWith("CREATE TABLE schema_version", "checksum"), Code::kSchemaChanged);
  EXPECT_EQ(OpenedWith("CREATE TABLE schema_version", "version INTEGER"), Code::kNotADatabase);
}

}  // namespace
}  // namespace hypha
