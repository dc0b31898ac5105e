#include "server/worker/look_ups.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "server/worker/ldap_text.h"

namespace chancery::worker {
namespace {

LookUpValues values(const std::string& name) { return {{"name", name}, {"cn", "CN {name}"}, {"requester", "unix:alice"}}; }

TEST(FillIn, PutsEachValueInOnce) {
  EXPECT_EQ(fill_in("/hosts/{name}?by={requester}", values("a.example.com"), percent_encoded),
            "/hosts/a.example.com?by=unix%3Aalice");
  EXPECT_EQ(fill_in("{cn}", values("x"), percent_encoded), "CN%20%7Bname%7D") << "what is put in is not looked at again";
  EXPECT_EQ(fill_in("no variable", values("x"), percent_encoded), "no variable");
}

TEST(FillIn, F33_ValuesOfUrlsStayOneSegment) {
  for (const auto* hostile : {"../admin", "a/b", "a?b=c", "a#b", "a b", "a%2e", "a\\b", "a@b", "\xc3\xa9"}) {
    const auto url = fill_in("/hosts/{name}", values(hostile), percent_encoded);
    const auto rest = url.substr(std::string("/hosts/").size());
    EXPECT_EQ(rest.find_first_of("/?#@ \\"), std::string::npos) << url;
  }
}

TEST(FillIn, F33_ValuesOfFiltersStayValues) {
  for (const auto* hostile : {"*", "a*", "x)(cn=*", "x)(|(cn=*", "\\", "a\\2a"}) {
    const auto filter = fill_in("(&(objectClass=device)(cn={name}))", values(hostile), escape_in_filter);
    EXPECT_EQ(std::ranges::count(filter, '('), 3) << filter;
    EXPECT_EQ(std::ranges::count(filter, '*'), 0) << filter;
  }
}

}  // namespace
}  // namespace chancery::worker
