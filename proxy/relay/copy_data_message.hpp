#pragma once

#include "proxy/wire/output.hpp"

#include <cstddef>

namespace pgveil::relay {

/// A CopyData message around what is appended while it lives; none if that is nothing.
class CopyDataMessage {
public:
    explicit CopyDataMessage(wire::Output& out)
        : out_(&out), start_(out.open_message(wire::FrontendType::kCopyData)), body_(out.size()) {}

    CopyDataMessage(const CopyDataMessage&) = delete;
    CopyDataMessage& operator=(const CopyDataMessage&) = delete;

    ~CopyDataMessage() {
        if (out_->size() == body_) {
            out_->truncate(start_);
        } else {
            out_->close_message(start_);
        }
    }

private:
    wire::Output* out_;
    std::size_t start_;
    std::size_t body_;
};

}  // namespace pgveil::relay
