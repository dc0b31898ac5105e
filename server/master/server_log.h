#pragma once

#include <string_view>

#include "server/base/result.h"
#include "server/config/server_config.h"

/// One destination for the lines of the master and of everything it starts. A file becomes standard error, so that it goes
/// through fork and exec as descriptor 2 and no child holds it under another number.
namespace chancery::master {

/// Again after a reload: a file that was renamed meanwhile is opened anew. @errors Io.
Status open_server_log(const config::ServerConfig& server, std::string_view process);

/// Leaves the terminal: /dev/null becomes standard input, output and, unless the log is a file, error. @errors Io.
Status leave_terminal(const config::ServerConfig& server);

}  // namespace chancery::master
