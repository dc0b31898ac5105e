#pragma once

#include <string>

#include "server/wire/json.h"

namespace chancery::api {

/// The route table as an OpenAPI 3.1.0 document (spec.openapis.org/oas/v3.1.0).
///
/// @param server  what comes before each path: "https://localhost:8000/realms/devices".
Json openapi_document(const std::string& server);

}  // namespace chancery::api
