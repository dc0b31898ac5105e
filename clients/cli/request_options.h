#pragma once

#include <string>
#include <vector>

#include "server/wire/json.h"

/// What `chancery request` does beside the command table: files of evidence, and signed approvals.
namespace chancery::cli {

/// Puts files into the parameter `attachments`, behind those that are there. @errors those of reading; InvalidParams: no list.
Status attach_files(Json& params, const std::vector<std::string>& files);

/// Signs the approval of a request, once its content is what its digest says.
///
/// @param params   of request.approve, with the certificate
/// @param request  what request.get answered
/// @param key_file  PEM, unencrypted
/// @return params with digest and signature. @errors InvalidParams; Corrupt: content and digest do not fit; those of the key.
Result<Json> sign_approval(Json params, const Json& request, const std::string& key_file);

}  // namespace chancery::cli
