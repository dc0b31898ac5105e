#pragma once

#include <string>

#include "server/base/clock.h"
#include "server/signer/ceremony_plan.h"
#include "server/signer/import_source.h"
#include "server/wire/json.h"

/// An offline ceremony: a root and the CAs below it, from one reviewed plan, on a machine without a server (doc/ceremony.md).
namespace chancery::signer {

/// What the plan will do. @return {title, plan, directory, acts}. @errors those of read_plan.
Result<Json> preview_ceremony(const base::Path& plan_file);

/// Does it. Everything is made aside and put in its place in one step: what was cut off leaves nothing that the next run does not
/// clear, so there are never two roots. A second run of the same plan finds what the first one made.
/// @param confirmed  the SHA-256 of the plan that was reviewed
/// @return {changed, directory, transcript, plan, cas: [{realm, ca, subject, not_after, fingerprint, public_key}],
/// services: [{realm, service, purpose, ca, not_after, fingerprint}], shares}; without services and shares where there are none
/// @errors Conflict: that is not the plan's SHA-256; Exists: something else is in the directory's place; Busy: another one makes
/// it just now; those of read_plan, create_realm and Issuer.
Result<Json> hold_ceremony(const base::Path& plan_file, const std::string& confirmed, const base::Clock& clock);

/// Takes a realm of a ceremony over, as it was made: files, modes, journal. The audit stream gets the transcript's SHA-256.
/// @param transcript  its SHA-256, as the people who were there signed it
/// @return {kind, realm, directory, changed, transcript, plan, files, subject, not_after, cas: [{ca, state, subject, not_after,
/// fingerprint}]}, the realm's further CAs, where it has some
/// @errors BadProof: the transcript or a file is not what it was; NotFound: no such realm in it; Exists: something is there.
Result<Json> import_ceremony(const ImportOrder& order, const std::string& transcript, Seconds now);

}  // namespace chancery::signer
