#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/realm/authority.h"

/// The CAs of a realm and their generations: what they are called, what each may do, and which one issues. Pure.
namespace chancery::realm {

/// What a generation is there for. Prepared: it has a key, and signs nothing but CRLs and cross certificates. Active: it issues.
/// Draining: CRLs alone, until its last certificate has expired. Retired and Aborted: nothing any more.
enum class GenerationState : std::uint8_t { Prepared, Active, Draining, Retired, Aborted };
inline constexpr std::array kGenerationStates{GenerationState::Prepared, GenerationState::Active, GenerationState::Draining,
                                              GenerationState::Retired, GenerationState::Aborted};
std::string_view to_text(GenerationState state);
std::optional<GenerationState> generation_state(std::string_view text);
/// Whether a generation in one state may get the other. There is no way back.
bool may_follow(GenerationState from, GenerationState to);
bool may_issue(GenerationState state);     ///< certificates
bool may_sign_crl(GenerationState state);  ///< CRLs

/// A generation's name: "ca" is the first one of the first CA, "ca-2" the next; of other CAs they begin with "tls-1".
struct Label {
  std::string name;  ///< of the CA
  int number = 1;    ///< of the generation

  std::string text() const;
  bool operator==(const Label&) const = default;
};
/// @errors Malformed: no such name.
Result<Label> parse_label(std::string_view text);

/// One generation of one CA, as everybody may know it.
struct Generation {
  std::string label = config::kFirstCa;
  GenerationState state = GenerationState::Active;
  std::optional<Authority> authority;  ///< none: it waits for its certificate
  std::string request{};               ///< PEM, while it waits
  std::string new_with_old{};          ///< PEM: this one's key, certified by the generation before it (RFC 4210 4.4)
  std::string old_with_new{};          ///< PEM: the key of the one before it, certified by this one
  std::optional<Seconds> last_end{};   ///< of a draining one that signed certificates: when the last of them expires

  std::string name() const;  ///< of the CA
  int number() const;
};

/// Which generation of that CA issues a certificate that is to end then: the newest active one whose validity has begun and
/// covers it; when none covers it, the newest whose validity has begun, which shortens the certificate. @return null: none
/// issues.
const Generation* issuing(std::span<const Generation> all, std::string_view ca, Seconds now, Seconds wanted_end);

/// Null: there is no such generation.
const Generation* find(std::span<const Generation> all, std::string_view label);

/// Which CA issues a profile when nobody says which: the one that names it in its `profiles`, else the first.
std::string ca_for(const config::RealmConfig& realm, const ProfileName& profile);
/// Whether that CA may issue it. @errors PolicyRefused: it may not; NotFound: the realm has no such CA.
Status check_ca_issues(const config::RealmConfig& realm, std::string_view ca, const ProfileName& profile);

/// The service that answers OCSP for that CA; empty: none does.
std::string responder_for(const config::RealmConfig& realm, std::string_view ca);

/// The URLs that certificates of an authority bear: its CA's, else the realm's; "{ca}" stands for the generation's name.
std::vector<std::string> crl_urls(const config::RealmConfig& realm, const Authority& authority);
std::vector<std::string> crl_delta_urls(const config::RealmConfig& realm, const Authority& authority);
std::vector<std::string> ca_issuer_urls(const config::RealmConfig& realm, const Authority& authority);

/// Other ways from a certificate of that generation to a root, as PEM texts in order, none of which begins with the generation's
/// own certificate: by the generation before it, for who trusts only that one's root; by the one after it, once it is replaced.
std::vector<std::vector<std::string>> alternates(std::span<const Generation> all, const Generation& of);

}  // namespace chancery::realm
