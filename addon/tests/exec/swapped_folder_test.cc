// Somebody moves the directory of a copy while it is made, and puts a link to another one in its place.
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "exec/copies_fixture.h"
#include "hypha/bundle.h"

namespace hypha {
namespace {

using test::Share;

class SwappedFolderTest : public test::CopiesFixture {
 protected:
  using Contents = std::map<std::string, std::size_t>;  // hashes

  // Both directories hold a store of that name whose last writer was killed.
  void SetUp() override {
    MakeHotStore(Path("template.db"));
    for (const auto& folder : {place_, outside_}) std::filesystem::create_directory(folder);
    for (const char* log : {"", "-wal"})
      std::filesystem::copy_file(Path("template.db") + log, outside_ + "/a.db" + log);
    std::ofstream(outside_ + "/a.db-journal") << "precious";
    std::ofstream(outside_ + "/a.jsonl") << "precious";
    std::filesystem::create_directory(outside_ + "/a");
    std::ofstream(outside_ + "/a/precious") << "precious";
    Lay();
    old_hash_ = HashOf(place_ + "/a.db");
    MakeStore(Path("source.db"), 300, 'n');
  }
  static Contents ContentsOf(const std::string& folder) {
    Contents contents;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
      contents[file.path()] = file.is_directory() ? 0 : std::hash<std::string>()(BytesOf(file.path()));
    }
    return contents;
  }
  static std::set<std::string> Keys(const Contents& contents) {
    std::set<std::string> keys;
    for (const auto& [name, hash] : contents) keys.insert(name);
    return keys;
  }
  void Lay() {
    std::filesystem::remove_all(place_);
    std::filesystem::create_directory(place_);
    for (const char* log : {"", "-wal"}) std::filesystem::copy_file(Path("template.db") + log, place_ + "/a.db" + log);
  }
  // Hooks that swap the directories at the point.
  Hooks SwappingAt(const std::string& point) {
    Hooks hooks;
    hooks.reached = [this, point](const char* reached) {
      if (point != reached || swapped_) return;
      std::filesystem::rename(place_, moved_);
      std::filesystem::create_directory_symlink(outside_, place_);
      swapped_ = true;
    };
    return hooks;
  }
  void SwapBack() {
    ASSERT_TRUE(swapped_) << "nothing was tested";
    std::filesystem::remove(place_);
    std::filesystem::rename(moved_, place_);
    swapped_ = false;
  }

  const std::string place_ = Path("place");
  const std::string outside_ = Path("outside");
  const std::string moved_ = Path("moved");
  std::string old_hash_;
  bool swapped_ = false;
};

constexpr const char* kPoints[] = {"backup-step",     "backup-copied",  "backup-written",
                                   "backup-verified", "before-publish", "before-rename"};

TEST_F(SwappedFolderTest, ACopyTouchesNothingInAFolderThatTookThePlaceOfItsOwn) {
  const Contents before = ContentsOf(outside_);
  const std::string source = Path("source.db");
  const auto try_each = [&](const char* what, const std::function<Status(const Hooks& hooks)>& copy) {
    for (const char* point : kPoints) {
      SCOPED_TRACE(std::string(what) + " at " + point);
      Lay();
      const Status status = copy(SwappingAt(point));
      EXPECT_EQ(ContentsOf(outside_), before);
      SwapBack();
      EXPECT_EQ(status.code(), Code::kCantOpen) << status.message();
      for (const auto& name : NamesOf(place_)) EXPECT_EQ(name.find(".tmp-"), std::string::npos) << name;
      EXPECT_EQ(HashOf(place_ + "/a.db"), old_hash_);
    }
  };
  try_each("backup", [&](const Hooks& hooks) {
    Share store(std::move(OpenStore(Options(source), hooks).value()));
    return store.engine().Backup({place_ + "/a.db", true, {}}).status();
  });
  try_each("restore", [&](const Hooks& hooks) { return RestoreStore(source, place_ + "/a.db", {}, hooks).status(); });
}

TEST_F(SwappedFolderTest, AnExportTouchesNothingThereEither) {
  const Contents before = ContentsOf(outside_);
  for (const BundleForm form : {BundleForm::kFile, BundleForm::kDirectory}) {
    for (const bool exists : {false, true}) {
      ExportSpec spec;
      spec.path = place_ + (form == BundleForm::kFile ? "/a.jsonl" : "/a");
      spec.overwrite = true;
      spec.form = form;
      SCOPED_TRACE(spec.path + (exists ? ", which exists" : ""));
      Lay();
      BundleSummary summary;
      if (exists) {
        Share store = Open(Options(Path("source.db")));
        ASSERT_TRUE(ExportBundle(store.engine(), spec, nullptr, &summary).status.ok());
      }
      const Contents old = ContentsOf(place_);
      Status status;
      {
        Share store(std::move(OpenStore(Options(Path("source.db")), SwappingAt("bundle-before-swap")).value()));
        status = ExportBundle(store.engine(), spec, nullptr, &summary).status;
      }
      EXPECT_EQ(ContentsOf(outside_), before);
      SwapBack();
      EXPECT_EQ(status.code(), Code::kCantOpen) << status.message();
      // What it had under way is still in its own directory, as after a kill: the next one removes it.
      Share store = Open(Options(Path("source.db")));
      EXPECT_TRUE(ExportBundle(store.engine(), spec, nullptr, &summary).status.ok());
      if (!exists) std::filesystem::remove_all(spec.path);
      EXPECT_EQ(Keys(ContentsOf(place_)), Keys(old));
    }
  }
}

TEST_F(SwappedFolderTest, AnExportLeavesALinkThatTookThePlaceOfItsTargetAndWhatItNames) {
  for (const BundleForm form : {BundleForm::kFile, BundleForm::kDirectory}) {
    const std::string name = form == BundleForm::kFile ? "bundle.jsonl" : "bundle";
    SCOPED_TRACE(name);
    Lay();
    ExportSpec spec;
    spec.overwrite = true;
    spec.form = form;
    BundleSummary summary;
    for (const auto& folder : {outside_, place_}) {
      Share store = Open(Options(Path("source.db")));
      spec.path = folder + "/" + name;
      ASSERT_TRUE(ExportBundle(store.engine(), spec, nullptr, &summary).status.ok());
    }
    const Contents before = ContentsOf(outside_);
    Hooks hooks;
    hooks.reached = [&](const char* reached) {
      if (std::string_view(reached) != "bundle-before-swap") return;
      std::filesystem::remove_all(spec.path);
      std::filesystem::create_symlink(outside_ + "/" + name, spec.path);
    };
    Share store(std::move(OpenStore(Options(Path("source.db")), hooks).value()));
    EXPECT_EQ(ExportBundle(store.engine(), spec, nullptr, &summary).status.code(), Code::kExists);
    EXPECT_EQ(ContentsOf(outside_), before);
    EXPECT_TRUE(std::filesystem::is_symlink(spec.path));
    EXPECT_EQ(NamesOf(place_), (std::set<std::string>{"a.db", "a.db-wal", name}));
  }
}

}  // namespace
}  // namespace hypha
