#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/signer/ca_files.h"
#include "server/signer/import_reader.h"
#include "server/x509/pem.h"

/// A CA of which somebody kept its key, certificates and CRLs in files, in whatever order: each is what its octets say.
namespace chancery::signer {
namespace {

/// PKCS#8 and the older forms that DER does not tell apart by itself.
constexpr std::array<std::string_view, 3> kKeyLabels{"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"};

bool is_der(std::string_view content) { return content.starts_with('\x30'); }

/// A key of the directory, and as PEM where its file is DER.
struct FoundKey {
  std::string place;
  crypto::PublicKey public_key;
  std::optional<SecretBytes> pem;
};

/// What the first look finds.
struct Findings {
  std::vector<std::pair<std::string, x509::Certificate>> cas;
  std::vector<FoundKey> keys;
  std::size_t unopened = 0;
};

void look_for_cas(const std::string& place, const std::string& content, Findings& out) {
  const auto add = [&](const Result<x509::Certificate>& read) {
    if (read.ok() && read->is_ca()) out.cas.emplace_back(place, *read);
  };
  if (is_der(content)) return add(x509::Certificate::from_der(base::as_bytes(content)));
  for (const auto& block : files::blocks_of(x509::kCertificateLabel, content)) {
    const auto der = x509::from_pem(x509::kCertificateLabel, block);
    if (der.ok()) add(x509::Certificate::from_der(*der));
  }
}

void look_for_keys(const std::string& place, const std::string& content, const SecretBytes* passphrase, Findings& out) {
  if (files::has_key(content)) {
    const auto key = crypto::PrivateKey::from_pem(base::as_bytes(content), passphrase);
    if (key.ok()) out.keys.push_back({place, key->public_key(), std::nullopt});
    out.unopened += static_cast<std::size_t>(!key.ok() && key.error().code() == Code::AuthFailed);
    return;
  }
  if (!is_der(content) || content.size() > kMaxKeyBytes) return;
  for (const auto label : kKeyLabels) {
    SecretBytes pem(x509::to_pem(label, base::as_bytes(content)));
    const auto key = crypto::PrivateKey::from_pem(pem.view(), nullptr);
    if (!key.ok()) continue;
    out.keys.push_back({place, key->public_key(), std::move(pem)});
    return;
  }
}

Result<std::optional<SecretBytes>> passphrase_of(const ImportOrder& order) {
  const auto& file = order.creation.import_passphrase_file;
  if (file.empty()) return std::optional<SecretBytes>();
  auto read = read_passphrase_file(file);
  if (!read.ok()) return of_option(read.error(), "ca-passphrase-file");
  return std::optional(std::move(read).value());
}

Status look_at(const base::Path& path, const std::string& place, const SecretBytes* passphrase, Findings& out) {
  auto content = files::read_unlinked(path, ImportReader::kMaxListFile);
  if (!content.ok() && content.error().code() == Code::Malformed) return {};  // the second look says so
  if (!content.ok()) return content.error();
  look_for_cas(place, *content, out);
  look_for_keys(place, *content, passphrase, out);
  explicit_bzero(content->data(), content->size());
  return {};
}

Result<Findings> look(const ImportOrder& order) {
  PKI_TRY(const auto passphrase, passphrase_of(order));
  const auto* const opens = passphrase ? &*passphrase : nullptr;
  PKI_TRY(const auto names, files::all_below(order.source));
  Findings out;
  for (const auto& name : names) PKI_TRY_VOID(look_at(order.source / name, name, opens, out));
  for (const auto& named : {order.ca_certificate, order.ca_key}) {
    if (!named.empty()) PKI_TRY_VOID(look_at(named, std::filesystem::absolute(named).string(), opens, out));
  }
  return out;
}

const FoundKey* key_of(const x509::Certificate& ca, const Findings& found) {
  const auto key = std::ranges::find_if(found.keys, [&](const auto& one) { return one.public_key == ca.public_key(); });
  return key == found.keys.end() ? nullptr : &*key;
}

Error no_pair(const ImportOrder& order, const Findings& found) {
  std::string text = "found no CA's certificate with its key in " + order.source.string() + ": " +
                     std::to_string(found.cas.size()) + " certificates of CAs and " + std::to_string(found.keys.size()) + " keys";
  if (found.unopened > 0) text += ", and " + std::to_string(found.unopened) + " keys that no passphrase opens";
  return {Code::NotFound, text + "; expected one pair",
          "--ca-certificate and --ca-key name files, --ca-passphrase-file opens the key"};
}

/// The one certificate of a CA that has its key here; of several of one key the one that ends last.
Result<std::pair<std::string, x509::Certificate>> choose(const ImportOrder& order, const Findings& found) {
  const auto named = order.ca_certificate.empty() ? "" : std::filesystem::absolute(order.ca_certificate).string();
  std::optional<std::pair<std::string, x509::Certificate>> chosen;
  for (const auto& one : found.cas) {
    if (key_of(one.second, found) == nullptr || (!named.empty() && one.first != named)) continue;
    if (!chosen ||
        (chosen->second.public_key() == one.second.public_key() && chosen->second.not_after() < one.second.not_after())) {
      chosen = one;
    } else if (!(chosen->second.public_key() == one.second.public_key())) {
      return Error(Code::Conflict,
                   "found the keys of several CAs: " + chosen->second.subject().to_slash() + " in " + shown(chosen->first) +
                       " and " + one.second.subject().to_slash() + " in " + shown(one.first) + ", expected one",
                   "name one's certificate with --ca-certificate: each CA becomes a realm of its own");
    }
  }
  if (!chosen) return no_pair(order, found);
  return std::move(*chosen);
}

/// The certificates above it, as far as they are there.
std::string chain_above(const x509::Certificate& ca, const Findings& found) {
  std::string out = ca.pem();
  auto last = ca;
  for (std::size_t i = 1; i < x509::kMaxChain && !std::ranges::equal(last.issuer_der(), last.subject_der()); ++i) {
    const auto above = std::ranges::find_if(found.cas, [&](const auto& one) { return last.verify_signed_by(one.second).ok(); });
    if (above == found.cas.end()) break;
    last = above->second;
    out += last.pem();
  }
  return out;
}

/// Whose CA it is and where its key is.
Status settle(ImportSource& source, const ImportOrder& order) {
  PKI_TRY(auto found, look(order));
  PKI_TRY(const auto ca, choose(order, found));
  source.certificate_file = source.directory / ca.first;
  source.chain_pem = chain_above(ca.second, found);
  const auto key = std::ranges::find_if(found.keys, [&](const auto& one) { return one.public_key == ca.second.public_key(); });
  source.key_file = source.directory / key->place;
  // However it is read later, others must not be able to.
  PKI_TRY([[maybe_unused]] const auto guarded, base::read_secret_file(source.key_file, kMaxKeyBytes));
  source.key_pem = std::move(key->pem);
  if (order.chain.empty()) return {};
  const auto above = files::read_unlinked(order.chain, kMaxChainBytes);
  if (!above.ok()) return of_option(above.error(), "chain");
  source.chain_pem = ca.second.pem() + *above;
  return {};
}

/// What a file is shows in its octets.
Status take_file(ImportReader& reader, const std::string& place, const std::string& content, bool is_ca_key) {
  const bool has_certificate = !files::blocks_of(x509::kCertificateLabel, content).empty();
  const bool has_crl = !files::blocks_of(x509::kCrlLabel, content).empty();
  const bool is_certificate = has_certificate || (is_der(content) && x509::read_foreign_certificate(content).ok());
  const auto crl = is_der(content) && !is_certificate ? x509::read_foreign_crl(content, reader.ca().public_key())
                                                      : Error(Code::Malformed, "no DER");
  const bool is_crl = has_crl || crl.ok() || crl.error().code() != Code::Malformed;
  Findings keys;
  if (!is_certificate && !is_crl) look_for_keys(place, content, nullptr, keys);
  const bool is_key = files::has_key(content) || !keys.keys.empty();
  if (is_certificate) PKI_TRY_VOID(reader.add_certificates(place, content));
  if (is_crl) PKI_TRY_VOID(reader.add_crls(place, content));
  if (is_key && !is_ca_key) ++reader.out().keys_left;
  if (!is_certificate && !is_crl && !is_key) reader.odd(shown(place) + " is no certificate, CRL or key: passed over");
  return {};
}

}  // namespace

Status read_tree(ImportReader& reader, const base::Path& directory, const base::Path& ca_key) {
  PKI_TRY_VOID(files::check_directory(directory, "one of certificates and CRLs"));
  PKI_TRY(const auto names, files::all_below(directory));
  const bool is_own = directory == reader.out().directory;
  for (const auto& name : names) {
    const auto path = directory / name;
    PKI_TRY_VOID(
        reader.one(is_own ? name : path.string(), ImportReader::kMaxListFile, [&](const std::string& place, std::string content) {
          auto taken = take_file(reader, place, content, path == ca_key);
          explicit_bzero(content.data(), content.size());  // it may be a key
          return taken;
        }));
  }
  if (reader.out().keys_left > 0)
    reader.odd(std::to_string(reader.out().keys_left) + " keys of certificates in " + shown(directory.string()) +
               " stay where they are: they are their owners', and no CA needs them");
  return {};
}

Result<ImportSource> read_pem_dir(const ImportOrder& order, Seconds now) {
  PKI_TRY_VOID(files::check_directory(order.source, "one with the CA's key, certificates and CRLs"));
  ImportSource source{.directory = order.source, .layout = "files"};
  PKI_TRY_VOID(settle(source, order));
  PKI_TRY(auto reader, ImportReader::begin(source, ImportReader::Doubles::Refuse, now));
  PKI_TRY_VOID(read_tree(reader, order.source, source.key_file));
  reader.finish();
  return source;
}

}  // namespace chancery::signer
