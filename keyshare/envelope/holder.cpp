#include "keyshare/envelope/holder.hpp"

#include <algorithm>

namespace pgveil::envelope {

Result<void> check_question(
    const Question& question, const quorum::Group& group, std::int64_t now_s
) {
    const auto header = parse_header(question.header);
    if (!header) {
        return header.error();
    }
    if (header->group != group.public_key().fingerprint()) {
        return user::failed("the file is sealed to another group");
    }
    if (header->point != question.request.point) {
        return user::failed("the point asked for is not that of the file");
    }
    const Policy& policy = header->policy;
    if (policy.until_s != 0 && now_s >= policy.until_s) {
        return user::failed("its policy allowed that it is opened until a time that has passed");
    }
    const std::string& requester = question.request.requester;
    if (!policy.who.empty() && std::ranges::find(policy.who, requester) == policy.who.end()) {
        return user::failed("its policy does not name \"" + requester + "\"");
    }
    if (!policy.purpose.empty() && policy.purpose != question.request.purpose) {
        return user::failed("its policy allows the purpose \"" + policy.purpose + "\" only");
    }
    return {};
}

}  // namespace pgveil::envelope
