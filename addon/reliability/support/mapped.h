// An object in a file that several processes have in their memory: it outlives any of them.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace hypha::reliability {

// T may be all zeroes, and needs no destructor.
template <class T>
class Mapped {
 public:
  // Maps `path`, made anew and zero when `create`. Aborts when it cannot: nothing can be tested without it.
  Mapped(const std::string& path, bool create) {
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_TRUNC : 0), 0600);
    if (file < 0 || (create && ::ftruncate(file, sizeof(T)) != 0)) {
      std::perror(path.c_str());
      std::abort();
    }
    void* memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (memory == MAP_FAILED) std::abort();
    object_ = static_cast<T*>(memory);
  }
  ~Mapped() { ::munmap(object_, sizeof(T)); }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;

  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }

 private:
  T* object_ = nullptr;
};

}  // namespace hypha::reliability
