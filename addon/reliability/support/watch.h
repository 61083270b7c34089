// Says which case was running when a sweep crashes or hangs.
#pragma once

#include <string>

namespace hypha::reliability {

// From now on a crash prints the current case, and a case that takes longer than 60 s ends the process.
void WatchCases(const char* program);
// What is run next; its text is enough to run it again.
void NextCase(const std::string& text);

}  // namespace hypha::reliability
