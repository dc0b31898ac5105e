#pragma once

#include <vector>

#include "server/worker/session.h"

namespace chancery::worker {

/// The attachments of a command's parameter, checked: number, size, name, type.
/// @param value  an array of {name, type, data in base64}; null: there are none. @param before  those that the request has
/// already
/// @errors InvalidParams, TooLarge, Malformed, PolicyRefused: the message names the attachment.
Result<std::vector<store::RequestFile>> files_from(const Session& session, const Json* value,
                                                   const std::vector<store::RequestFile>& before);

}  // namespace chancery::worker
