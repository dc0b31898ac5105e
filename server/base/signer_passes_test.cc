#include "server/base/signer_passes.h"

#include <gtest/gtest.h>

namespace chancery::base {
namespace {

RealmName realm(std::string_view name) { return RealmName::parse(name).value(); }

TEST(SignerPasses, EachRealmHasItsOwnForGood) {
  SignerPasses passes;
  EXPECT_TRUE(passes.find(realm("a")).empty());
  const std::string a(as_text(passes.make(realm("a"))));
  const std::string b(as_text(passes.make(realm("b"))));
  EXPECT_EQ(a.size(), 64U);
  EXPECT_EQ(a.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(a, b);
  EXPECT_EQ(as_text(passes.make(realm("a"))), a);
  EXPECT_EQ(as_text(passes.find(realm("b"))), b);
}

TEST(SignerPasses, C22_ABoundWorkerKeepsOne) {
  SignerPasses passes;
  for (const auto* name : {"a", "b", "c"}) (void)passes.make(realm(name));
  const std::string b(as_text(passes.find(realm("b"))));
  passes.keep_only(realm("b"));
  EXPECT_EQ(as_text(passes.find(realm("b"))), b);
  EXPECT_TRUE(passes.find(realm("a")).empty());
  EXPECT_TRUE(passes.find(realm("c")).empty());
  passes.wipe();
  EXPECT_TRUE(passes.find(realm("b")).empty());
}

}  // namespace
}  // namespace chancery::base
