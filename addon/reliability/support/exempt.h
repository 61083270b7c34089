// Code of the programme itself, whose own allocations do not fail while those of the engine do.
#pragma once

namespace hypha::reliability {

inline thread_local int exempt_depth = 0;

// While one of these lives on a thread, its allocations succeed.
class Exempt {
 public:
  Exempt() { ++exempt_depth; }
  ~Exempt() { --exempt_depth; }
  Exempt(const Exempt&) = delete;
  Exempt& operator=(const Exempt&) = delete;
};

inline thread_local bool in_engine = false;

// The opposite, on a thread that is exempt: a call into the engine.
class NotExempt {
 public:
  NotExempt() : before_(exempt_depth) {
    exempt_depth = 0;
    in_engine = true;
  }
  ~NotExempt() {
    exempt_depth = before_;
    in_engine = false;
  }
  NotExempt(const NotExempt&) = delete;
  NotExempt& operator=(const NotExempt&) = delete;

 private:
  const int before_;
};

}  // namespace hypha::reliability
