#pragma once

#include "keyshare/core/p256.hpp"
#include "keyshare/custodian/log_head.hpp"
#include "keyshare/user/error.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::custodian {

/// Where a log is read: in the files of a custodian's folder, or from one that runs.
struct LogPlace {
    std::string config;      ///< its settings; empty: it is asked over HTTPS
    std::string custodians;  ///< the asker's settings
    std::string at;          ///< the custodian's name in these
};

/// A log as it was read. Nothing in it is checked but the signature of the head.
struct LogText {
    struct File {
        std::string name;
        std::string content;
    };

    std::string custodian;
    std::vector<File> files;                          ///< oldest first
    std::optional<core::VerifyingKey> identity = {};  ///< where the place names it
    std::optional<LogHead> head = {};                 ///< what a running one has signed now
    std::string head_jws = {};
};

/// A message for a person: no such file, nobody answers, another key signed.
user::Result<LogText> read_log(const LogPlace& place);

}  // namespace pgveil::custodian
