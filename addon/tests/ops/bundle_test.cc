// Bundles through the public interface: what the tests of JavaScript cannot reach.
#include "hypha/bundle.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "exec/store_fixture.h"
#include "ops/bundle_format.h"
#include "ops/bundle_reader.h"

namespace hypha {
namespace {

using test::Share;

class BundleTest : public test::StoreFixture {
 protected:
  static ExportSpec To(const std::string& path, bool overwrite = false, BundleForm form = BundleForm::kDirectory) {
    ExportSpec spec;
    spec.path = path;
    spec.overwrite = overwrite;
    spec.form = form;
    spec.part_rows = 3;
    return spec;
  }
  static Status Export(Share& share, const ExportSpec& spec) {
    BundleSummary summary;
    return ExportBundle(share.engine(), spec, nullptr, &summary).status;
  }
  static std::int64_t EntriesOf(const std::string& path) {
    const BundleReport report = VerifyBundle(path, nullptr);
    EXPECT_TRUE(report.opened.status.ok()) << report.opened.status.message();
    EXPECT_TRUE(report.problems.empty());
    return report.summary.entries;
  }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) names.insert(entry.path().filename());
    return names;
  }
  // In a process of its own: replaces the bundle, of 2 entries, by one of 10, and dies at the point.
  static int ReplaceAndDieAt(const std::string& path, BundleForm form, const std::string& point) {
    const pid_t child = ::fork();
    if (child != 0) {
      int state = 0;
      return ::waitpid(child, &state, 0) == child && WIFSIGNALED(state) ? -WTERMSIG(state) : WEXITSTATUS(state);
    }
    Hooks hooks;
    hooks.reached = [&](const char* reached) {
      if (point == reached) ::kill(::getpid(), SIGKILL);
    };
    auto opened = OpenStore(Memory(), hooks);
    if (!opened.ok()) ::_exit(2);
    Share share(std::move(opened.value()));
    for (int i = 0; i < 10; ++i) static_cast<void>(share.Set("k" + std::to_string(i)));
    ::_exit(Export(share, To(path, true, form)).ok() ? 0 : 3);
  }
};

TEST_F(BundleTest, DeathAtEachStepOfAReplacementLeavesAWholeBundle) {
  for (const BundleForm form : {BundleForm::kDirectory, BundleForm::kFile}) {
    for (const char* point : {"bundle-before-swap", "bundle-after-swap", "none"}) {
      const std::string path = dir_.File(std::string(point) + (form == BundleForm::kFile ? ".jsonl" : ""));
      {
        Share share = Open(Memory());
        EXPECT_TRUE(share.Set("a").ok());
        EXPECT_TRUE(share.Set("b").ok());
        ASSERT_TRUE(Export(share, To(path, false, form)).ok());
      }
      const bool survives = std::string(point) == "none";
      EXPECT_EQ(ReplaceAndDieAt(path, form, point), survives ? 0 : -SIGKILL);
      EXPECT_EQ(EntriesOf(path), std::string(point) == "bundle-before-swap" ? 2 : 10) << point;
    }
  }
}

TEST_F(BundleTest, ABundleWhoseReplacementWasCutShortIsFoundBesideItsName) {
  Share share = Open(Memory());
  EXPECT_TRUE(share.Set("a").ok());
  const std::string path = dir_.File("bundle");
  ASSERT_TRUE(Export(share, To(path)).ok());
  std::filesystem::rename(path, path + ".prev");
  EXPECT_EQ(EntriesOf(path), 1);
  ImportSpec spec;
  spec.path = path;
  Share other = Open(Memory());
  ImportSummary summary;
  EXPECT_TRUE(ImportBundle(other.engine(), *QueueImport(other.engine(), this), spec, nullptr, &summary).status.ok());
  EXPECT_EQ(summary.inserted, 1);
}

TEST_F(BundleTest, WhatAnExportDidNotLeaveBesideItsNameStays) {
  Share share = Open(Memory());
  EXPECT_TRUE(share.Set("a").ok());
  const std::string path = dir_.File("bundle");
  ASSERT_TRUE(Export(share, To(path)).ok());
  std::filesystem::rename(path, path + ".prev");  // as who keeps the last two by hand
  for (const bool overwrite : {false, true}) {
    ASSERT_TRUE(Export(share, To(path, overwrite)).ok());
    EXPECT_EQ(EntriesOf(path + ".prev"), 1);
  }
}

TEST_F(BundleTest, ADirectoryThatIsReplacedWhileItIsReadIsBusyNotDamaged) {
  Share share = Open(Memory());
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(share.Set("k" + std::to_string(i)).ok());
  const std::string path = dir_.File("bundle");
  ASSERT_TRUE(Export(share, To(path)).ok());
  std::unique_ptr<BundleReader> reader;
  ASSERT_TRUE(BundleReader::Open(
                  path, [](const std::string&) { return false; }, &reader)
                  .status.ok());
  ASSERT_EQ(reader->Next(), BundleReader::Step::kLine);
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(share.Set("k" + std::to_string(i), "2").ok());
  ASSERT_TRUE(Export(share, To(path, true)).ok());
  while (reader->Next() == BundleReader::Step::kLine) {
  }
  EXPECT_EQ(reader->problem().status.code(), Code::kBusy) << reader->problem().status.message();
  EXPECT_TRUE(reader->Ended());
}

TEST_F(BundleTest, ABundleThatChangesBetweenItsReadingsIsRefused) {
  const std::string path = dir_.File("changes.jsonl");
  const auto write = [&](const std::string& value) {
    std::ofstream(path) << "{\"type\":\"bundle\",\"format\":\"hyphadb-bundle\",\"version\":1}\n"
                        << "{\"type\":\"entry\",\"namespace\":\"n\",\"key\":\"k\",\"value\":" << value << "}\n"
                        << "{\"type\":\"end\"}\n";
  };
  Hooks hooks;
  hooks.reached = [&](const char* point) {
    if (std::string(point) == "import-read-through") write("2");
  };
  auto opened = OpenStore(Memory(), hooks);
  ASSERT_TRUE(opened.ok());
  Share share(std::move(opened.value()));
  write("1");
  ImportSpec spec;
  spec.path = path;
  ImportSummary summary;
  const Status status =
      ImportBundle(share.engine(), *QueueImport(share.engine(), this), spec, nullptr, &summary).status;
  EXPECT_EQ(status.code(), Code::kBundleInvalid) << status.message();
  EXPECT_EQ(share.Get("k", "n"), "absent");
  EXPECT_TRUE(ImportBundle(share.engine(), *QueueImport(share.engine(), this), spec, nullptr, &summary).status.ok());
  EXPECT_EQ(share.Get("k", "n"), "2");
}

TEST_F(BundleTest, AbandonedByItsOwnerAnImportIsRolledBack) {
  Share share = Open(Memory());
  const std::string path = dir_.File("large.jsonl");
  {
    std::ofstream file(path);
    file << "{\"type\":\"bundle\",\"format\":\"hyphadb-bundle\",\"version\":1}\n";
    for (int i = 0; i < 100'000; ++i) {
      file << "{\"type\":\"entry\",\"namespace\":\"n\",\"key\":\"k" << i << "\",\"value\":" << i << "}\n";
    }
    file << "{\"type\":\"end\"}\n";
  }
  std::atomic<bool> done{false};
  Status status;
  std::thread importer([&] {
    ImportSpec spec;
    spec.path = path;
    ImportSummary summary;
    status = ImportBundle(share.engine(), *QueueImport(share.engine(), this), spec, nullptr, &summary).status;
    done = true;
  });
  while (!done) share.engine().Abandon(this);
  importer.join();
  EXPECT_EQ(status.code(), Code::kClosed) << status.message();
  EXPECT_EQ(share.Get("k1", "n"), "absent");
  EXPECT_TRUE(share.Set("free").ok());
}

TEST_F(BundleTest, CancelledBeforeItBeginsNothingIsDone) {
  Share share = Open(Memory());
  EXPECT_TRUE(share.Set("a").ok());
  const std::string path = dir_.File("bundle");
  ASSERT_TRUE(Export(share, To(path)).ok());
  const auto cancelled = std::make_shared<std::atomic<bool>>(true);
  const auto before = Names();
  BundleSummary summary;
  EXPECT_EQ(ExportBundle(share.engine(), To(dir_.File("other")), cancelled, &summary).status.code(), Code::kAborted);
  EXPECT_EQ(Names(), before);
  EXPECT_EQ(VerifyBundle(path, cancelled).opened.status.code(), Code::kAborted);
  ImportSpec spec;
  spec.path = path;
  ImportSummary imported;
  EXPECT_EQ(ImportBundle(share.engine(), *QueueImport(share.engine(), this), spec, cancelled, &imported).status.code(),
            Code::kAborted);
}

TEST(BundleFormatTest, PartNames) {
  EXPECT_EQ(bundle::PartName(1), "part-000001.jsonl");
  EXPECT_EQ(bundle::PartName(1'234'567), "part-1234567.jsonl");
  EXPECT_TRUE(bundle::IsPartName("part-000001.jsonl"));
  for (const char* name : {"", "part-.jsonl", "part-00001.jsonl", "part-00000x.jsonl", "part-000001.json",
                           "part-0000001234567.jsonl", "../part-000001.jsonl", "part-000001.jsonl/"}) {
    EXPECT_FALSE(bundle::IsPartName(name)) << name;
  }
}

TEST(BundleFormatTest, TheSealIsTheLastMemberAndNothingElse) {
  const auto code = [](std::string line) {
    bundle::Line parsed;
    return bundle::ParseLine(line, &parsed).code();
  };
  std::string sealed = R"({"type":"entry","namespace":"n","key":"k","value":1})";
  EXPECT_EQ(code(sealed), Code::kOk);
  bundle::Seal(sealed);
  EXPECT_EQ(code(sealed), Code::kOk);
  EXPECT_EQ(code("  " + sealed + " "), Code::kOk);
  std::string twice = sealed;
  bundle::Seal(twice);
  EXPECT_EQ(code(twice), Code::kBundleInvalid);
  EXPECT_EQ(code(R"({"crc":"00000000","type":"entry","namespace":"n","key":"k","value":1})"), Code::kBundleInvalid);
  // A value that looks like one is a value.
  std::string inside = R"({"type":"entry","namespace":"n","key":"k","value":{"a":1,"crc":"00000000"}})";
  EXPECT_EQ(code(inside), Code::kOk);
}

TEST(BundleFormatTest, ValuesThatAreNoJsonNeverComeIntoALine) {
  std::string line;
  for (const char* value : {"", "1,\"x\":2", "{", "nul", "1 2", "\xff", "\"\n\""}) {
    EntryView entry;
    entry.key = "k";
    entry.value = value;
    EXPECT_EQ(bundle::EntryLine(bundle::EntryPrefix("n"), entry, &line).code(), Code::kCorrupt) << value;
    entry.value = "1";
    entry.metadata = value;
    if (entry.metadata.empty()) continue;  // none
    EXPECT_EQ(bundle::EntryLine(bundle::EntryPrefix("n"), entry, &line).code(), Code::kCorrupt) << value;
  }
  EntryView entry;
  entry.key = "\xed\xa0\x80";
  entry.value = "1";
  EXPECT_EQ(bundle::EntryLine(bundle::EntryPrefix("n"), entry, &line).code(), Code::kCorrupt);
}

}  // namespace
}  // namespace hypha
