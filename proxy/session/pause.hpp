#pragma once

#include "proxy/session/service.hpp"

namespace pgveil::session {

/// From now on no transaction begins; open ones go on. False: that was so already. Any thread.
bool begin_pause(Service& service);

/// What has waited may begin. False: nothing was held. Any thread.
bool end_pause(Service& service);

}  // namespace pgveil::session
