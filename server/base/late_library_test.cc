#include "server/base/late_library.h"

#include <gtest/gtest.h>

namespace chancery::base {
namespace {

TEST(LateLibrary, FindsWhatItsHeaderDeclares) {
  const auto library = LateLibrary::load("libresolv.so.2");
  ASSERT_TRUE(library.ok()) << library.error().message();
  int (*count)(const char*) = nullptr;
  EXPECT_TRUE(library->find("__dn_count_labels", count).ok());
  EXPECT_EQ(count("pki.example.com"), 3);
}

TEST(LateLibrary, SaysWhichLibraryIsMissing) {
  const auto library = LateLibrary::load("libchancery-nowhere.so.7");
  ASSERT_FALSE(library.ok());
  EXPECT_EQ(library.error().code(), Code::Unavailable);
  EXPECT_NE(library.error().message().find("libchancery-nowhere.so.7"), std::string::npos);
}

TEST(LateLibrary, SaysWhichFunctionIsMissing) {
  const auto library = LateLibrary::load("libresolv.so.2");
  ASSERT_TRUE(library.ok());
  void (*none)() = nullptr;
  const auto found = library->find("chancery_is_not_in_there", none);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code(), Code::Unavailable);
  EXPECT_NE(found.error().message().find("chancery_is_not_in_there"), std::string::npos);
  EXPECT_EQ(none, nullptr);
}

}  // namespace
}  // namespace chancery::base
