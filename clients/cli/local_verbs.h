#pragma once

#include <optional>
#include <string>
#include <vector>

#include "clients/cli/answer_files.h"
#include "server/base/file.h"
#include "server/signer/create_options.h"
#include "server/wire/json.h"

/// What `chancery` does without the server.
namespace chancery::cli {

/// A program of this server: uninstalled trees have it beside this one, an installation in sbin or libexec; CHANCERY_PROGRAMS
/// names another directory first. @errors NotFound.
Result<base::Path> find_program(const std::string& name);

/// What a program says on standard error, in the words of who ran it.
using Retell = std::string (*)(std::string);

/// `chancery realm create`: runs `chancery-signer create`, for no other program opens a CA key. What that refuses it says itself,
/// and its exit status becomes this program's.
///
/// @param options  further options of chancery-signer, "--key", "ec:P-256", …
/// @param retell  null: as chancery-signer says it
/// @return its answer. @errors Malformed: the name; NotFound: no chancery-signer, or nothing to make the realms directory in;
/// Unavailable: it was killed; Io.
Result<Json> create_realm(const std::string& name, const base::Path& realms_directory, const std::vector<std::string>& options,
                          Retell retell = nullptr);

/// `chancery import KIND`: runs `chancery-signer import-KIND` likewise. @return its answer. @errors as create_realm.
Result<Json> import_ca(const signer::ImportKind& kind, const base::Path& source, const std::string& name,
                       const base::Path& realms_directory, const std::vector<std::string>& options);

/// `chancery ceremony`: runs `chancery-signer ceremony`. @param options  --dry-run, or --confirm with the plan's SHA-256
/// @return its answer. @errors as create_realm.
Result<Json> run_ceremony(const base::Path& plan, const std::vector<std::string>& options);

/// `chancery zmq-key`: runs `chancery-zmq --make-key`, which has libzmq.
///
/// @param out_file  for the secret key, mode 0600, which must be new; empty: it is in the answer.
/// @return {public_key, secret_key or key_file}. @errors as create_realm.
Result<Json> make_zmq_key(const std::string& out_file);

struct CsrOrder {
  std::optional<std::string> cn;       ///< either this,
  std::optional<std::string> subject;  ///< or this: a DN (RFC 4514)
  std::vector<std::string> sans;
  std::string key = "ec:P-256";
  FileNames files;  ///< with a key_out; without an out, the request is only in the answer
};
/// `chancery csr`: a key pair and a request for it. @return {key_file, request}.
/// @errors InvalidParams: none or both of cn and subject, or a subject that is none; Malformed; those of begin_files.
Result<Json> make_request(const CsrOrder& order);

}  // namespace chancery::cli
