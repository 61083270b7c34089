// hypha_lock_probe: tells which process holds SQLite's locks on a database, as another process sees them.
// For each line of standard input, a path, prints `<pid of the holder of the database's shared lock> <pid of the holder
// of the log index's lock>`; 0 is nobody, -1 a file that cannot be looked at.
#include <fcntl.h>
#include <unistd.h>

#include <iostream>
#include <string>

namespace {

// Where SQLite's unix VFS puts its locks: the shared range of a database file, and the byte of the -shm file that says
// "somebody has this open".
constexpr off_t kSharedFirst = 0x40000002;
constexpr off_t kSharedSize = 510;
constexpr off_t kDeadManSwitch = 128;

long HolderOf(const std::string& path, off_t start, off_t length) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return -1;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = length;
  const int failed = ::fcntl(fd, F_GETLK, &lock);
  ::close(fd);
  if (failed != 0) return -1;
  return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

}  // namespace

int main() {
  for (std::string path; std::getline(std::cin, path);) {
    std::cout << HolderOf(path, kSharedFirst, kSharedSize) << ' ' << HolderOf(path + "-shm", kDeadManSwitch, 1)
              << std::endl;
  }
  return 0;
}
