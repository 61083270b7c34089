// hypha_stress PATH OUT NAME NS SEED FIRST CLIENTS THREADS: clients of a stress run on threads of one engine.
// Says `ready`, waits for `go <until>` on standard input, writes its history to OUT. scripts/stress.js starts it.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client.h"
#include "history_writer.h"
#include "share.h"

namespace hypha::stress {
namespace {

int Run(const std::vector<std::string>& arguments) {
  const auto number = [&](std::size_t i) { return std::atoi(arguments[i].c_str()); };
  OpenOptions options;
  options.path = arguments[0];
  options.durability = Durability::kNormal;
  HistoryFile file(arguments[1]);
  if (!file.ok()) return 3;
  std::vector<std::unique_ptr<Share>> shares;
  for (int i = 0; i < number(7); ++i) {
    auto opened = OpenStore(options);
    if (!opened.ok()) {
      std::fprintf(stderr, "open: %s\n", opened.status().message().c_str());
      return 4;
    }
    shares.push_back(std::make_unique<Share>(std::move(opened.value()), arguments[3]));
  }
  std::puts("ready");
  std::fflush(stdout);
  long long until = 0;
  if (std::scanf("go %lld", &until) != 1) return 5;
  std::vector<std::thread> threads;
  for (int i = 0; i < number(7); ++i) {
    threads.emplace_back([&, i] {
      HistoryWriter history(file, arguments[2] + "." + std::to_string(i));
      const int client = number(5) + i;
      Client(*shares[static_cast<std::size_t>(i)], history, static_cast<unsigned>(number(4) * 1000 + client), client,
             number(6))
          .Run(until);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (auto& share : shares) {
    const Code code = share->Close().code();
    // Another process may be reading the log, so that it cannot be emptied.
    if (code != Code::kOk && code != Code::kBusy) return 6;
  }
  return 0;
}

}  // namespace
}  // namespace hypha::stress

int main(int argc, char** argv) {
  if (argc != 9) {
    std::fputs("usage: hypha_stress PATH OUT NAME NS SEED FIRST CLIENTS THREADS\n", stderr);
    return 2;
  }
  return hypha::stress::Run(std::vector<std::string>(argv + 1, argv + argc));
}
