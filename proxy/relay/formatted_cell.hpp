#pragma once

#include "proxy/wire/values.hpp"

namespace pgveil::relay {

/// A cell and how it is written.
struct FormattedCell {
    wire::Cell cell;
    wire::Format format = wire::Format::kText;
};

}  // namespace pgveil::relay
