#include "keyshare/share/shallow_json.hpp"

namespace pgveil::share {
namespace {

constexpr int kMostDeep = 64;

}  // namespace

Json parse_shallow_json(std::string_view text) {
    bool is_too_deep = false;
    Json value = Json::parse(
        text.begin(),
        text.end(),
        [&is_too_deep](int depth, Json::parse_event_t /*event*/, Json& /*parsed*/) {
            is_too_deep = is_too_deep || depth > kMostDeep;
            return !is_too_deep;
        },
        false
    );
    if (is_too_deep) {
        return Json(Json::value_t::discarded);
    }
    return value;
}

}  // namespace pgveil::share
