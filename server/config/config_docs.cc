#include <iostream>
#include <string_view>

#include "server/base/process.h"
#include "server/config/documents.h"

/// Prints one of the documents that are made of the tables of settings: config-docs manual|server-sample|realm-sample.
int main(int argc, char** argv) {
  using namespace chancery;
  const std::string_view wanted = argc == 2 ? argv[1] : "";
  if (wanted == "manual") return std::cout << config::settings_manual(), base::to_int(base::Exit::Ok);
  if (wanted == "server-sample") return std::cout << config::server_sample(), base::to_int(base::Exit::Ok);
  if (wanted == "realm-sample") return std::cout << config::realm_sample(), base::to_int(base::Exit::Ok);
  std::cerr << "usage: config-docs manual|server-sample|realm-sample\n";
  return base::to_int(base::Exit::Usage);
}
