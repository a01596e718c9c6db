#pragma once

#include "proxy/wire/output.hpp"
#include "sql/types/codec.hpp"

#include <string_view>

namespace pgveil::relay {

/// Appends a value's text to a message.
class OutputSink final : public types::TextSink {
public:
    explicit OutputSink(wire::Output& out) : out_(&out) {}

    void append(std::string_view text) override { out_->append_text(text); }

private:
    wire::Output* out_;
};

}  // namespace pgveil::relay
