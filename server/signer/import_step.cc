#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/signer/import_reader.h"
#include "server/wire/json.h"

/// A step-ca directory, what STEPPATH names: its intermediate CA. Its database is of a kind that only its own programs read, so
/// certificates come as files beside it.
namespace chancery::signer {
namespace {

/// What a provisioner would be here.
struct Provisioner {
  std::string_view type;  ///< lower case
  std::string_view here;
};
constexpr std::array kProvisioners{
    Provisioner{"acme", "acme: of ca.config.yml, and chancery-http (doc/acme.md)"},
    Provisioner{"jwk",
                "an identity with a role, which asks by the socket or by HTTPS (doc/api.md); the provisioner's key is not taken"},
    Provisioner{"oidc", "nothing: people log in with certificates and as users of this machine"},
    Provisioner{"x5c", "a client certificate at chancery-http (doc/api.md), from a CA that it trusts"},
    Provisioner{"scep", "nothing: no SCEP is spoken here"},
    Provisioner{"sshpop", "nothing: no SSH certificates are made here"},
    Provisioner{"k8ssa", "nothing: acme is what cert-manager speaks, too"},
    Provisioner{"nebula", "nothing"},
    Provisioner{"aws", "nothing: machines of that cloud use acme"},
    Provisioner{"gcp", "nothing: machines of that cloud use acme"},
    Provisioner{"azure", "nothing: machines of that cloud use acme"},
};

/// ca.json names files where it was written, which may be another machine.
base::Path file_of(const base::Path& directory, const char* part, const std::string& named) {
  const base::Path path(named);
  if (path.is_relative()) return directory / path;
  if (files::is_there(path)) return path;
  return directory / part / path.filename();
}

/// A text, or the first of several.
std::string first_text(const Json& object, std::string_view name) {
  const auto* value = object.find(name);
  if (value == nullptr) return {};
  if (const auto* items = value->as_array())
    return items->empty() || !items->front().is_string() ? "" : *items->front().as_string();
  return value->is_string() ? *value->as_string() : "";
}

/// Where the CA's files are.
struct Places {
  base::Path certificate;
  base::Path key;
  base::Path root;
};

Result<Places> places_of(const ImportOrder& order, const Json& config) {
  const auto& directory = order.source;
  Places out{directory / "certs" / "intermediate_ca.crt", directory / "secrets" / "intermediate_ca_key",
             directory / "certs" / "root_ca.crt"};
  const auto key = first_text(config, "key");
  const auto colon = key.find(':');
  if (colon != std::string::npos && key.find('/') > colon && order.ca_key.empty())
    return Error(Code::Unsupported, "config/ca.json has the CA's key at " + shown(key) + ", expected a file",
                 "a key that does not leave its device cannot be taken over; --ca-key names a copy in a file");
  if (const auto named = first_text(config, "crt"); !named.empty()) out.certificate = file_of(directory, "certs", named);
  if (const auto named = first_text(config, "root"); !named.empty()) out.root = file_of(directory, "certs", named);
  if (!key.empty()) out.key = file_of(directory, "secrets", key);
  if (!order.ca_certificate.empty()) out.certificate = order.ca_certificate;
  if (!order.ca_key.empty()) out.key = order.ca_key;
  return out;
}

Result<Json> read_config(const base::Path& directory, std::vector<std::string>& odd) {
  const auto path = directory / "config" / "ca.json";
  if (!files::is_there(path)) {
    odd.push_back("no config/ca.json: files are taken from their usual places, and nothing is known of provisioners");
    return Json::object();
  }
  const auto text = files::read_unlinked(path, ImportReader::kMaxSmallFile);
  if (!text.ok()) return text.error().within(path.string());
  auto config = wire::parse_json(*text);
  if (!config.ok()) return config.error().within(path.string());
  if (!config->is_object())
    return Error(Code::Malformed, path.string() + ": found " + std::string(config->kind()) + ", expected an object");
  return config;
}

void tell_of_provisioners(const Json& config, std::vector<std::string>& odd) {
  const auto* authority = config.find("authority");
  const auto* list = authority == nullptr ? nullptr : authority->find("provisioners");
  if (list == nullptr || list->as_array() == nullptr) return;
  for (const auto& one : *list->as_array()) {
    const auto type = base::to_lower_ascii(one.text("type"));
    const auto row = std::ranges::find(kProvisioners, type, &Provisioner::type);
    odd.push_back("provisioner " + shown(one.text("name")) + " of type " + shown(one.text("type")) + " would be here " +
                  std::string(row == kProvisioners.end() ? "nothing that is known" : row->here));
  }
}

void tell_of_database(const Json& config, const ImportOrder& order, std::vector<std::string>& odd) {
  const auto* database = config.find("db");
  const auto type = database == nullptr ? "" : database->text("type");
  const bool is_there = database != nullptr || files::is_there(order.source / "db");
  if (!is_there) return;
  odd.push_back("the database db" + (type.empty() ? "" : " of type " + shown(type)) + " is not read: " +
                (order.certificates.empty()
                     ? "certificates that step-ca issued verify, and are not known here; their files and its CRL "
                       "come with --certificates"
                     : "only what --certificates names is known of what step-ca issued and revoked"));
}

/// The root below which the intermediate CA stands, unless its file has it.
Status add_root(ImportSource& source, const base::Path& root) {
  if (!files::is_there(root)) return {};
  const auto text = files::read_unlinked(root, ImportReader::kMaxSmallFile);
  if (!text.ok()) return text.error().within(root.string());
  const auto chain = x509::certificates_from_pem(source.chain_pem, x509::kMaxChain);
  const auto above = x509::certificates_from_pem(*text, x509::kMaxChain);
  if (!chain.ok() || chain->empty() || !above.ok() || above->empty()) {
    source.odd.push_back(shown(root.string()) + " holds no certificate that stands above the CA's: left out");
    return {};
  }
  const auto& last = chain->back();
  if (std::ranges::equal(last.issuer_der(), last.subject_der())) return {};
  if (last.verify_signed_by(above->front()).ok()) {
    source.chain_pem += "\n" + above->front().pem();
    return {};
  }
  return Error(Code::BadProof, root.string() + " did not sign " + last.subject().to_slash() + ", expected the root above it",
               "the files come from one backup");
}

}  // namespace

Result<ImportSource> read_step_ca(const ImportOrder& order, Seconds now) {
  PKI_TRY_VOID(files::check_directory(order.source, "step-ca's, which `step path` prints"));
  ImportSource source{.directory = order.source, .layout = "step-ca"};
  PKI_TRY(const auto config, read_config(order.source, source.odd));
  PKI_TRY(const auto places, places_of(order, config));
  for (const auto& [path, option] : {std::pair(places.certificate, "--ca-certificate"), std::pair(places.key, "--ca-key")}) {
    if (!files::is_there(path))
      return Error(Code::NotFound, "found no " + path.string() + ", expected the intermediate CA's",
                   std::string(option) + " names another file");
  }
  source.certificate_file = places.certificate;
  source.key_file = places.key;
  PKI_TRY_VOID(read_chain(source, order));
  if (order.chain.empty()) PKI_TRY_VOID(add_root(source, places.root));
  PKI_TRY(auto files, ImportReader::begin(source, ImportReader::Doubles::Refuse, now));
  tell_of_provisioners(config, source.odd);
  tell_of_database(config, order, source.odd);
  if (!order.certificates.empty()) PKI_TRY_VOID(read_tree(files, order.certificates, source.key_file));
  PKI_TRY_VOID(files.check_signed_some("they are another CA's: --ca-certificate and --ca-key name the right one"));
  files.finish();
  return source;
}

}  // namespace chancery::signer
