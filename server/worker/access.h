#pragma once

#include "server/realm/access.h"
#include "server/worker/params.h"
#include "server/worker/session.h"

/// The realm's access rules, asked once for each command in dispatch, and once more where it turns out which certificate it is
/// about (issue.h's judge).
namespace chancery::worker {

/// Before the handler runs. @errors Denied; what the store says.
Status check_access(Session& session, const wire::Command& command, const Params& params);

/// Of the command in hand, now that it is known what it is about. @errors Denied.
Status check_access_to(const Session& session, const realm::About& about);
/// The same for a certificate in the store. @param record  not found: only who may do it with any may learn that
Status check_access_to(const Session& session, const Result<store::CertificateRecord>& record);

/// Whether the command in hand, which lists many, may show that one. @param row  of a page
bool may_see(const Session& session, const store::CertificateRecord& row);

/// The same where it turns out that it is about none. @errors Denied.
Status check_access_to_none(const Session& session);

/// Whether the session could run another command that is about no certificate.
bool may_run(const Session& session, std::string_view command);
/// Whether the session could run another command on that, by its role and the realm's rules; what the command itself would say is
/// another matter.
bool may_run(const Session& session, std::string_view command, const realm::About& about);
/// What rules look at of a certificate in the store.
realm::About about_record(const store::CertificateRecord& record);

}  // namespace chancery::worker
