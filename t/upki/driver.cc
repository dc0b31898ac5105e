// upki-driver ADDRESS PORT VARIABLES CASES: runs uPKI's conformance cases (cases.json) with cppzmq, as t/test_upki_conformance.py
// does with pyzmq. Prints one line a case, "ok NAME" or "not ok NAME: why", and exits 1 when one failed.
#include <algorithm>
#include <cstdio>
#include <string>
#include <zmq.hpp>

#include "server/base/clock.h"
#include "server/base/file.h"
#include "server/wire/json.h"

namespace {

using namespace chancery;

constexpr int kAnswerMs = 60000;
constexpr std::size_t kMaxFile = 1 << 22;

Json variables = Json::object();

std::string as_text(const Json& value) { return value.is_string() ? *value.as_string() : wire::to_text(value); }

/// The text with each {{name}} replaced; a text that is nothing else becomes the variable itself, of whatever kind.
Json fill(const std::string& text) {
  std::string out;
  std::size_t from = 0;
  for (;;) {
    const auto start = text.find("{{", from);
    if (start == std::string::npos) return out + text.substr(from);
    const auto end = text.find("}}", start);
    const auto* value = variables.find(text.substr(start + 2, end - start - 2));
    if (value == nullptr) return "no variable in " + text;
    if (start == 0 && end + 2 == text.size()) return *value;
    out += text.substr(from, start - from) + as_text(*value);
    from = end + 2;
  }
}

Json fill(const Json& value) {
  if (value.is_string()) return fill(*value.as_string());
  if (const auto* items = value.as_array()) {
    Json out = Json::array();
    for (const auto& one : *items) out.push_back(fill(one));
    return out;
  }
  if (const auto* members = value.as_object()) {
    auto out = Json::object();
    for (const auto& [name, one] : *members) out.set(as_text(fill(name)), fill(one));
    return out;
  }
  return value;
}

bool is_integer(const Json& value) { return value.as_integer() != nullptr || value.as_big_integer() != nullptr; }

bool matches_text(const std::string& pattern, const Json& value) {
  if (pattern == "*") return true;
  if (pattern == "#") return is_integer(value);
  if (pattern == "#big") return value.as_big_integer() != nullptr;
  if (!value.is_string()) return false;
  const auto& text = *value.as_string();
  if (pattern == "@time") return base::from_rfc3339(text).ok() && text.ends_with("+00:00");
  if (pattern.starts_with('^')) return text.starts_with(pattern.substr(1));
  if (pattern.starts_with('~')) return text.find(pattern.substr(1)) != std::string::npos;
  return text == pattern;
}

bool matches(const Json& pattern, const Json& value);

bool matches_array(const Json& pattern, const Json& value) {
  const auto* items = value.as_array();
  if (items == nullptr) return false;
  const auto fits = [](const Json& one) { return [&one](const Json& item) { return matches(one, item); }; };
  if (const auto* one = pattern.find("*has")) return std::ranges::any_of(*items, fits(*one));
  if (const auto* one = pattern.find("*lacks")) return std::ranges::none_of(*items, fits(*one));
  if (const auto* one = pattern.find("*all")) return !items->empty() && std::ranges::all_of(*items, fits(*one));
  const auto& wanted = *pattern.as_array();
  return wanted.size() == items->size() &&
         std::ranges::equal(wanted, *items, [](const Json& a, const Json& b) { return matches(a, b); });
}

/// All members, and no others unless the pattern is open.
bool matches_object(const Json& pattern, const Json& value) {
  const auto* open = pattern.find("*open");
  const auto* wanted = open == nullptr ? pattern.as_object() : open->as_object();
  const auto* members = value.as_object();
  if (wanted == nullptr || members == nullptr || (open == nullptr && wanted->size() != members->size())) return false;
  return std::ranges::all_of(*wanted, [&](const Json::Member& one) {
    const auto* member = value.find(one.first);
    return member != nullptr && matches(one.second, *member);
  });
}

bool matches(const Json& pattern, const Json& value) {
  if (pattern.is_string()) return matches_text(*pattern.as_string(), value);
  const bool list = pattern.is_array() || pattern.find("*has") != nullptr || pattern.find("*lacks") != nullptr ||
                    pattern.find("*all") != nullptr;
  if (list) return matches_array(pattern, value);
  if (pattern.is_object()) return matches_object(pattern, value);
  return pattern == value;
}

std::string message_of(const Json& one) {
  if (one.find("raw") != nullptr) return one.text("raw");
  auto message = Json::object({{"TASK", one.text("task")}});
  if (const auto* params = one.find("params")) message.set(one.boolean("older") ? "PARAMS" : "params", fill(*params));
  return wire::to_text(message);
}

Result<Json> ask(zmq::context_t& context, const std::string& address, int port, const std::string& message) {
  zmq::socket_t socket(context, zmq::socket_type::req);
  socket.set(zmq::sockopt::rcvtimeo, kAnswerMs);
  socket.set(zmq::sockopt::linger, 0);
  socket.connect("tcp://" + address + ":" + std::to_string(port));
  socket.send(zmq::buffer(message), zmq::send_flags::none);
  zmq::message_t answer;
  if (!socket.recv(answer)) return Error(Code::Timeout, "no answer");
  return wire::parse_json(answer.to_string_view());
}

/// As a client that does what it is told: no key pair was found in the 4 s that uPKI's clients wait.
Result<Json> ask_patiently(zmq::context_t& context, const std::string& address, int port, const std::string& message) {
  constexpr int kMostAttempts = 20;
  auto reply = ask(context, address, port, message);
  for (int i = 1; i < kMostAttempts && reply.ok() && reply->text("MSG").find("try again shortly") != std::string::npos; ++i)
    reply = ask(context, address, port, message);
  return reply;
}

void save(const Json& one, const Json& data) {
  const auto* wanted = one.find("save");
  if (wanted == nullptr) return;
  for (const auto& [name, member] : *wanted->as_object()) {
    const auto* value = member.as_string()->empty() ? &data : data.find(*member.as_string());
    if (value != nullptr) variables.set(name, *value);
  }
}

/// @return why the answer is not what the case wants, or nothing.
std::string judge(const Json& one, const Json& reply) {
  const bool refused = reply.text("EVENT") == "UPKI ERROR";
  if (const auto* pattern = one.find("error"))
    return refused && matches(fill(*pattern), Json(reply.text("MSG"))) ? "" : wire::to_text(reply);
  const auto* data = reply.find("DATA");
  if (refused || data == nullptr || !matches(fill(*one.find("data")), *data)) return wire::to_text(reply);
  save(one, *data);
  return "";
}

Result<Json> read(const char* file) {
  PKI_TRY(const auto text, base::read_file(file, kMaxFile));
  return wire::parse_json(text);
}

int run(char** argv) {
  const auto given = read(argv[3]);
  const auto table = read(argv[4]);
  if (!given.ok() || !table.ok()) {
    std::fprintf(stderr, "upki-driver: %s\n", base::to_line(given.ok() ? table.error() : given.error()).c_str());
    return 2;
  }
  variables = *given;
  zmq::context_t context(1);
  bool failed = false;
  for (const auto& one : *table->find("cases")->as_array()) {
    const auto port = std::stoi(argv[2]) + static_cast<int>(one.integer("port"));
    const auto reply = ask_patiently(context, argv[1], port, message_of(one));
    const auto why = reply.ok() ? judge(one, *reply) : base::to_line(reply.error());
    failed |= !why.empty();
    std::printf("%s %s%s%s\n", why.empty() ? "ok" : "not ok", one.text("name").c_str(), why.empty() ? "" : ": ", why.c_str());
  }
  return failed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kArguments = 5;
  if (argc != kArguments) {
    std::fputs("usage: upki-driver ADDRESS PORT VARIABLES CASES\n", stderr);
    return 2;
  }
  return run(argv);
}
