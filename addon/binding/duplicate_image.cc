#include "duplicate_image.h"

#include <elf.h>
#include <link.h>

#include <cstring>

namespace hypha::binding {
namespace {

constexpr char kOwner[] = "HyphaDB";

// An ELF note marks each copy; notes are mapped with the image and can be read without its symbols.
struct Note {
  Elf64_Nhdr header;
  char owner[8];
  unsigned content;
};
static_assert(sizeof(kOwner) == sizeof(Note::owner));

__attribute__((section(".note.hyphadb"), used, aligned(4))) constexpr Note kNote = {
    {sizeof(kOwner), sizeof(unsigned), 1}, {'H', 'y', 'p', 'h', 'a', 'D', 'B', '\0'}, 1};

std::size_t Aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// Whether one PT_NOTE segment holds our note.
bool HoldsOurNote(const char* at, std::size_t size) {
  const char* end = at + size;
  while (at + sizeof(Elf64_Nhdr) <= end) {
    Elf64_Nhdr header;
    std::memcpy(&header, at, sizeof header);
    const char* name = at + sizeof header;
    if (name + header.n_namesz > end) return false;
    if (header.n_namesz == sizeof kOwner && std::memcmp(name, kOwner, sizeof kOwner) == 0) return true;
    at = name + Aligned(header.n_namesz) + Aligned(header.n_descsz);
  }
  return false;
}

struct Search {
  std::optional<DuplicateImage> found;
  std::string first;
  bool done = false;
};

bool IsImageOfOurs(const dl_phdr_info& image) {
  for (int i = 0; i < image.dlpi_phnum; ++i) {
    const auto& segment = image.dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    if (HoldsOurNote(reinterpret_cast<const char*>(image.dlpi_addr + segment.p_vaddr), segment.p_filesz)) return true;
  }
  return false;
}

bool HoldsThisCode(const dl_phdr_info& image) {
  const auto self = reinterpret_cast<ElfW(Addr)>(&kNote);
  for (int i = 0; i < image.dlpi_phnum; ++i) {
    const auto& segment = image.dlpi_phdr[i];
    const ElfW(Addr) start = image.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && self >= start && self < start + segment.p_memsz) return true;
  }
  return false;
}

// Images come in the order in which they were loaded.
int Visit(dl_phdr_info* image, std::size_t /*size*/, void* data) {
  auto* search = static_cast<Search*>(data);
  if (!IsImageOfOurs(*image)) return 0;
  if (HoldsThisCode(*image)) {
    if (!search->first.empty()) search->found = DuplicateImage{search->first, image->dlpi_name};
    return 1;
  }
  if (search->first.empty()) search->first = image->dlpi_name;
  return 0;
}

}  // namespace

std::optional<DuplicateImage> FindEarlierImage() {
  Search search;
  dl_iterate_phdr(&Visit, &search);
  return search.found;
}

}  // namespace hypha::binding
