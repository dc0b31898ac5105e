#pragma once

#include "clients/api/routes.h"
#include "clients/http/message.h"
#include "server/base/result.h"

namespace chancery::api {

/// What a request says beside its path: the members of its query and of its body that the route knows, each of its kind. Others
/// are passed over, as uPKI does; null is as good as absent.
///
/// @return an object.
/// @errors Malformed: the body is no JSON object, or the query no pairs; InvalidParams: a required member is missing, or one is
/// of another kind.
Result<Json> read_fields(const Route& route, const http::Request& request);

/// Whether the body, if there is one, says that it is JSON.
bool is_json(const http::Request& request);

}  // namespace chancery::api
