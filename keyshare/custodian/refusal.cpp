#include "keyshare/custodian/refusal.hpp"

#include <utility>

namespace pgveil::custodian {

Refusal refusal_of(const quorum::Error& error) {
    const auto of = [&](unsigned status, std::string_view code) {
        Refusal out = refused(status, code, error.message);
        out.member = error.participants.empty() ? 0 : error.participants.front();
        return out;
    };
    switch (error.code) {
        case quorum::ErrorCode::kCheating: return of(422, "cheating");
        case quorum::ErrorCode::kMalformed:
        case quorum::ErrorCode::kInvalidArgument: return of(400, "malformed");
        case quorum::ErrorCode::kMissing:
        case quorum::ErrorCode::kForeign:
        case quorum::ErrorCode::kTooFew: return of(409, "foreign");
    }
    return of(409, "foreign");
}

Refusal refusal_of(const store::Error& error) {
    return refused(503, "store", error.message);
}

}  // namespace pgveil::custodian
