#include "keyshare/postgres/answer.hpp"

#include <charconv>
#include <libpq-fe.h>

namespace pgveil::postgres {

namespace {

std::int64_t number_in(std::string_view digits) {
    std::int64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

}  // namespace

void Answer::Clear::operator()(pg_result* result) const noexcept {
    PQclear(result);
}

int Answer::rows() const {
    return PQntuples(result_.get());
}

int Answer::columns() const {
    return PQnfields(result_.get());
}

bool Answer::is_null(int row, int column) const {
    return PQgetisnull(result_.get(), row, column) == 1;
}

std::string_view Answer::view(int row, int column) const {
    return {
        PQgetvalue(result_.get(), row, column),
        static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t Answer::number(int row, int column) const {
    return number_in(view(row, column));
}

core::Bytes Answer::bytes(int row, int column) const {
    auto bytes = core::from_hex(view(row, column));
    return bytes.has_value() ? *std::move(bytes) : core::Bytes();
}

std::int64_t Answer::touched() const {
    return number_in(PQcmdTuples(result_.get()));
}

std::vector<std::vector<std::string>> Answer::texts() const {
    std::vector<std::vector<std::string>> all(static_cast<std::size_t>(rows()));
    for (int row = 0; row < rows(); ++row) {
        for (int column = 0; column < columns(); ++column) {
            all[static_cast<std::size_t>(row)].emplace_back(view(row, column));
        }
    }
    return all;
}

std::vector<std::vector<std::optional<std::string>>> Answer::cells() const {
    std::vector<std::vector<std::optional<std::string>>> all(static_cast<std::size_t>(rows()));
    for (int row = 0; row < rows(); ++row) {
        for (int column = 0; column < columns(); ++column) {
            all[static_cast<std::size_t>(row)].push_back(
                is_null(row, column) ? std::nullopt : std::optional<std::string>(view(row, column))
            );
        }
    }
    return all;
}

}  // namespace pgveil::postgres
