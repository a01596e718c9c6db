#pragma once

#include "keyshare/core/bytes.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct pg_result;

namespace pgveil::postgres {

/// What the server answered to one statement: rows of text, or a command's count. Rows and columns
/// count from 0; one that is not there is the caller's mistake. One thread.
class Answer {
public:
    explicit Answer(pg_result* result) : result_(result) {}

    int rows() const;
    int columns() const;
    bool is_null(int row, int column) const;
    /// NULL is an empty text. Valid as long as this answer.
    std::string_view view(int row, int column) const;

    std::string text(int row, int column) const { return std::string(view(row, column)); }

    /// 0 for what is no number.
    std::int64_t number(int row, int column) const;
    /// Of a column that was sent as encode(..., 'hex'); nothing of another.
    core::Bytes bytes(int row, int column) const;
    /// How many rows a command has touched.
    std::int64_t touched() const;

    /// All rows; NULL is an empty text.
    std::vector<std::vector<std::string>> texts() const;
    /// All rows; NULL is nothing.
    std::vector<std::vector<std::optional<std::string>>> cells() const;

private:
    struct Clear {
        void operator()(pg_result* result) const noexcept;
    };

    std::unique_ptr<pg_result, Clear> result_;
};

}  // namespace pgveil::postgres
