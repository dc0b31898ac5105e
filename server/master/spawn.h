#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "server/base/fd.h"
#include "server/master/account.h"

/// How children come into the world: with nothing of the master's but what they are given (PROMISES D16, D17, D21).
namespace chancery::master {

/// What a forked child does; its result is the exit status.
using Body = std::function<int()>;

/// The process group of a child: Ctrl-C in the master's terminal is for those of the master's, who alone may read from there.
enum class Group : std::uint8_t { Own, Masters };

/// Forks a child that goes on in this program, as `user` when that is not null. It keeps the descriptors 0, 1, 2 and those
/// listed, and has default signal dispositions; the kernel kills it when the master dies, whatever it is doing.
/// @errors Io: the kernel refused (EAGAIN, ENOMEM).
Result<pid_t> fork_child(std::span<const int> keep, const Account* user, const Body& body, Group group = Group::Own);

/// A descriptor of the master and the number that the program finds it under (3 and up, each number once).
struct Passed {
  int target;
  int source;
};

struct Command {
  std::filesystem::path program;
  std::vector<std::string> arguments;  ///< without argv[0]
  std::vector<Passed> descriptors;
  std::string user;                ///< whom it becomes; empty: nobody else
  std::vector<std::string> unset;  ///< variables it does not inherit
};

/// Forks and executes. A program that cannot be executed ends with Exit::Config, a user that cannot be taken with
/// Exit::NoPermission; the log says why.
/// @errors Io: the kernel refused to fork.
Result<pid_t> spawn(const Command& command);

/// Where a program is: itself when absolute, else in `directory`, else beside this program, else in the libexec directory.
/// @errors NotFound: the places looked at.
Result<std::filesystem::path> find_program(const std::string& program, const std::filesystem::path& directory);

/// Where those places are, without a directory of its own.
std::vector<std::filesystem::path> program_places();

}  // namespace chancery::master
