#include "sql/types/error.hpp"

#include <utility>

namespace pgveil::types {

Error invalid_value(std::string sqlstate, std::string message, std::string hint) {
    return Error{
        ErrorKind::kInvalidValue, std::move(sqlstate), std::move(message), std::move(hint), {}};
}

Error unsupported_form(std::string message, std::string hint) {
    return Error{ErrorKind::kUnsupportedForm, "0A000", std::move(message), std::move(hint), {}};
}

}  // namespace pgveil::types
