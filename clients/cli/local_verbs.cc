#include "clients/cli/local_verbs.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <iostream>

#include "server/base/fd.h"
#include "server/base/names.h"
#include "server/base/process.h"
#include "server/base/text.h"
#include "server/crypto/key.h"
#include "server/x509/csr.h"
#include "server/x509/pem.h"

namespace chancery::cli {
namespace {

constexpr const char* kSigner = "chancery-signer";
constexpr const char* kZmq = "chancery-zmq";

/// Its standard output goes to `output`, its complaints to `errors`.
Result<pid_t> start(std::vector<std::string>& words, int output, int errors) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return base::io_error("fork", errno);
  if (pid == 0) {
    if (::dup2(output, STDOUT_FILENO) >= 0 && ::dup2(errors, STDERR_FILENO) >= 0) ::execv(argv.front(), argv.data());
    ::_exit(base::to_int(base::Exit::Os));
  }
  return pid;
}

/// A realms directory may be new. What it should stand in may not: a mistyped path would make another tree of realms.
Status check_realms_directory(const base::Path& named) {
  std::error_code ignored;
  const auto place = "--realms-directory " + named.string();
  if (std::filesystem::is_directory(named, ignored)) return {};
  if (std::filesystem::exists(named, ignored)) return Error(Code::InvalidParams, place + ": found no directory, expected one");
  const auto parent = (std::filesystem::absolute(named) / "").lexically_normal().parent_path().parent_path();
  if (std::filesystem::is_directory(parent, ignored)) return {};
  return Error(Code::NotFound, place + ": found no directory " + parent.string() + ", expected one to make it in",
               "mkdir -p " + parent.string() + " if the path is meant");
}

Result<std::string> read_to_end(int fd) {
  std::string text;
  std::array<char, 4096> piece{};
  for (;;) {
    const auto count = ::read(fd, piece.data(), piece.size());
    if (count == 0) return text;
    if (count < 0 && errno != EINTR) return base::io_error("read", errno);
    if (count > 0) text.append(piece.data(), static_cast<std::size_t>(count));
  }
}

/// Where a program complains: where we do, or, to be told in other words once it has ended, in a file without a name.
class Complaints {
 public:
  static Result<Complaints> open(Retell retell) {
    if (retell == nullptr) return Complaints(base::UniqueFd(), nullptr);
    base::UniqueFd file(::memfd_create("complaints", MFD_CLOEXEC));
    if (!file) return base::io_error("memfd_create", errno);
    return Complaints(std::move(file), retell);
  }
  int descriptor() const { return file_ ? file_.get() : STDERR_FILENO; }
  void tell() const {
    if (!file_ || ::lseek(file_.get(), 0, SEEK_SET) != 0) return;
    if (const auto text = read_to_end(file_.get()); text.ok()) std::cerr << retell_(*text);
  }

 private:
  Complaints(base::UniqueFd file, Retell retell) : file_(std::move(file)), retell_(retell) {}
  base::UniqueFd file_;
  Retell retell_;
};

/// The program's answer, one JSON object on its standard output.
Result<Json> run_program(std::vector<std::string> words, Retell retell = nullptr) {
  PKI_TRY(auto output, base::make_pipe());
  PKI_TRY(const auto complaints, Complaints::open(retell));
  PKI_TRY(const pid_t pid, start(words, output.write.get(), complaints.descriptor()));
  output.write.reset();
  PKI_TRY(const auto text, read_to_end(output.read.get()));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return base::io_error("wait for " + words.front(), errno);
  }
  complaints.tell();
  if (!WIFEXITED(status)) return Error(Code::Unavailable, words.front() + " ended: " + base::describe_exit(status));
  if (WEXITSTATUS(status) != 0) std::exit(WEXITSTATUS(status));  // it has said why, and its status is ours
  return wire::parse_json(text);
}

/// What the signer makes of a realm's directory.
Result<Json> run_signer(const std::vector<std::string>& mode, const std::string& name, const base::Path& realms_directory,
                        const std::vector<std::string>& options, Retell retell = nullptr) {
  PKI_TRY(const auto realm, RealmName::parse(name));
  PKI_TRY_VOID(check_realms_directory(realms_directory));
  PKI_TRY(const auto program, find_program(kSigner));
  std::vector<std::string> words{program.string()};
  words.insert(words.end(), mode.begin(), mode.end());
  for (const auto& word :
       {std::string("--realm"), realm.text(), std::string("--directory"), (realms_directory / realm.text()).string()})
    words.push_back(word);
  words.insert(words.end(), options.begin(), options.end());
  return run_program(std::move(words), retell);
}

}  // namespace

Result<base::Path> find_program(const std::string& name) {
  std::vector<base::Path> directories;
  if (const char* named = std::getenv("CHANCERY_PROGRAMS"); named != nullptr && *named != '\0') directories.emplace_back(named);
  std::error_code failure;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
  if (!failure) {
    directories.push_back(self.parent_path());
    directories.push_back(self.parent_path().parent_path() / "sbin");
  }
  directories.emplace_back(CHANCERY_LIBEXECDIR);
  for (const auto& directory : directories) {
    auto path = directory / name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return Error(Code::NotFound, "no " + name + " in " + directories.back().string(),
               "set CHANCERY_PROGRAMS to the directory that has it");
}

Result<Json> create_realm(const std::string& name, const base::Path& realms_directory, const std::vector<std::string>& options,
                          Retell retell) {
  return run_signer({"create"}, name, realms_directory, options, retell);
}

Result<Json> import_ca(const signer::ImportKind& kind, const base::Path& source, const std::string& name,
                       const base::Path& realms_directory, const std::vector<std::string>& options) {
  return run_signer({"import-" + std::string(kind.name), "--source", source.string()}, name, realms_directory, options);
}

Result<Json> run_ceremony(const base::Path& plan, const std::vector<std::string>& options) {
  PKI_TRY(const auto program, find_program(kSigner));
  std::vector<std::string> words{program.string(), "ceremony", "--plan", plan.string()};
  words.insert(words.end(), options.begin(), options.end());
  return run_program(std::move(words));
}

Result<Json> make_zmq_key(const std::string& out_file) {
  PKI_TRY(const auto program, find_program(kZmq));
  std::vector<std::string> words{program.string(), "--make-key"};
  if (!out_file.empty()) words.insert(words.end(), {"--out", out_file});
  return run_program(std::move(words));
}

namespace {

constexpr std::string_view kSubjectAdvice = "like --subject \"CN=a.example.com,O=Company\", or --cn a.example.com";

/// What other programs write around "=" and "," would become part of the values (RFC 4514 2.4), and values in hexadecimal are not
/// read.
Status check_values(const x509::Name& name) {
  for (const auto& attribute : name.attributes) {
    const auto& value = attribute.value;
    const bool has_blanks = value.starts_with(' ') || value.ends_with(' ');
    if (!has_blanks && !value.starts_with('#')) continue;
    return Error(Code::InvalidParams,
                 "--subject: found the value \"" + base::printable(value, 80) + "\" of " + base::printable(attribute.type, 40) +
                     ", expected one without " + (has_blanks ? "blanks at its ends" : "# at its beginning"),
                 std::string(kSubjectAdvice));
  }
  return {};
}

/// What the request is for: a name of a common name alone, or the one that is given.
Result<x509::Name> subject_of(const CsrOrder& order) {
  if (order.cn && order.subject)
    return Error(Code::InvalidParams, "csr: found --cn beside --subject, expected one of them: --subject has its own CN",
                 std::string(kSubjectAdvice));
  if (order.cn) {
    x509::Name name;
    name.attributes.push_back({"CN", *order.cn});
    return name;
  }
  if (!order.subject)
    return Error(Code::InvalidParams, "csr: found neither --cn nor --subject, expected one of them", std::string(kSubjectAdvice));
  auto subject = x509::Name::from_comma(*order.subject);
  if (subject.ok()) PKI_TRY_VOID(check_values(*subject));
  if (subject.ok() && !subject->empty()) return subject;
  return Error(Code::InvalidParams,
               "--subject: found \"" + base::printable(*order.subject, 80) + "\", expected a DN as RFC 4514 writes it" +
                   (subject.ok() ? "" : ": " + subject.error().message()),
               std::string(kSubjectAdvice));
}

}  // namespace

Result<Json> make_request(const CsrOrder& order) {
  PKI_TRY(const auto spec, base::parse_key_spec(order.key));
  PKI_TRY(const auto subject, subject_of(order));
  std::vector<x509::GeneralName> sans;
  for (const auto& text : order.sans) {
    PKI_TRY(auto name, x509::GeneralName::parse(text));
    sans.push_back(std::move(name));
  }
  PKI_TRY(auto files, begin_files(order.files));
  PKI_TRY(const auto key, crypto::PrivateKey::generate(spec));
  PKI_TRY(const auto der, x509::make_csr(key, subject, sans));
  const auto request = x509::to_pem(x509::kRequestLabel, der);
  // The request first: without it nobody needs the key, and the key must not stand in the way of the next attempt.
  if (files.out) PKI_TRY_VOID(files.out->finish(base::as_bytes(request)));
  PKI_TRY_VOID(files.key_out->finish(key.to_pem().view()));
  return Json::object({{"key_file", order.files.key_out}, {"request", request}});
}

}  // namespace chancery::cli
