// What a restore and a backup make of a file with an edited schema.
#pragma once

#include <string>

namespace hypha::reliability {

// `hostile` and `good`: the bytes of two database files. Restores from the hostile one, which must be refused with
// nothing changed; restores and backs up the good one to where the hostile one lies, which must give the good one.
// Empty, or what went wrong.
std::string CopyHostile(const std::string& hostile, const std::string& good);

}  // namespace hypha::reliability
