// A verified copy of a database file, made through SQLite's backup interface.
#pragma once

#include <string>

#include "hypha/hooks.h"
#include "hypha/status.h"

namespace hypha {

// Writes the committed content of the database `from` to `to`: first under a temporary name, then opened, checked
// (integrity and row counts) and renamed. An existing `to` is never replaced: a number is added to the name.
Status KeepCopy(const std::string& from, const std::string& to, const Hooks& hooks);

}  // namespace hypha
