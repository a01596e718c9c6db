#include "config/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pgveil::config {
namespace {

using testing::HasSubstr;

/// The error of a policy, or "" if it is good.
std::string error_of(std::string_view text) {
    const auto policy = parse_policy("p.json", text);
    return policy.has_value() ? "" : policy.error().message;
}

std::shared_ptr<const Policy> good(std::string_view text) {
    auto policy = parse_policy("p.json", text);
    EXPECT_TRUE(policy.has_value()) << (policy.has_value() ? "" : policy.error().message);
    return policy.has_value() ? *policy : std::make_shared<const Policy>(PolicyContent{});
}

/// A policy with one column entry.
std::string with_enum(std::string_view column, std::string_view enums) {
    return R"({"tables":{"public.t":{"columns":{"c":)" + std::string(column) + R"(}}},"enums":)" +
           std::string(enums) + "}";
}

TEST(PolicyEnums, AreNamedWithOrWithoutTheirSchema) {
    constexpr std::string_view kEnums =
        R"j({"public.mood":["sad",""],"b.\"The Mood\"":["x"],"b.mood":["y"]})j";
    const auto name_of_type = [&](std::string_view type) {
        const auto policy = good(with_enum(R"({"type":")" + std::string(type) + "\"}", kEnums));
        return types::name_of(policy->find("public", "t")->column("c")->type);
    };
    EXPECT_EQ(name_of_type("public.mood"), "public.mood");
    EXPECT_EQ(name_of_type("public.mood[]"), "public.mood[]");
    EXPECT_EQ(name_of_type(R"(b.\"The Mood\")"), "b.\"The Mood\"");
    EXPECT_EQ(name_of_type(R"(\"The Mood\")"), "b.\"The Mood\"");
    const auto wrong = [&](std::string_view type) {
        return error_of(with_enum(R"({"type":")" + std::string(type) + "\"}", kEnums));
    };
    EXPECT_THAT(wrong("mood"), HasSubstr("is not a known type")) << "one of two";
    EXPECT_THAT(wrong("public.color"), HasSubstr("an enum that stands under /enums"));
}

TEST(PolicyEnums, AreNotOrderedAndHaveSoundLabels) {
    const std::string mood = R"({"public.mood":["sad"]})";
    EXPECT_EQ(error_of(with_enum(R"({"type":"mood","search":"equality"})", mood)), "");
    EXPECT_THAT(
        error_of(with_enum(R"({"type":"mood","search":"order"})", mood)),
        HasSubstr("type public.mood cannot be ordered")
    );
    EXPECT_THAT(
        error_of(with_enum(R"({"type":"mood[]","search":"equality"})", mood)),
        HasSubstr("cannot be searched")
    );
    const auto enums = [](std::string_view text) {
        return error_of(with_enum(R"({"type":"text"})", text));
    };
    EXPECT_THAT(
        enums(R"({"mood":["sad"]})"), HasSubstr("/enums/mood: is not of the form schema.type")
    );
    EXPECT_THAT(enums(R"({"*.mood":["sad"]})"), HasSubstr("is not of the form schema.type"));
    EXPECT_THAT(enums(R"({"public.mood":[]})"), HasSubstr("/enums/public.mood"));
    EXPECT_THAT(enums(R"({"public.mood":["a","a"]})"), HasSubstr("/enums/public.mood"));
    EXPECT_THAT(enums(R"({"public.mood":["a\u0000"]})"), HasSubstr("is no label"));
    EXPECT_THAT(
        enums(R"({"public.mood":[")" + std::string(64, 'a') + "\"]}"), HasSubstr("63 bytes")
    );
    EXPECT_THAT(
        enums(R"({"public.mood":["a"],"public.\"mood\"":["b"]})"), HasSubstr("the same enum")
    );
}

TEST(PolicyEnums, AContextHoldsOne) {
    const auto two = [](std::string_view left, std::string_view right) {
        return error_of(
            R"({"tables":{"public.t":{"columns":{"a":{"type":")" + std::string(left) +
            R"(","context":"x"},"b":{"type":")" + std::string(right) +
            R"(","context":"x"}}}},"enums":{"public.mood":["a"],"public.kind":["a"]}})"
        );
    };
    EXPECT_EQ(two("mood", "public.mood"), "");
    EXPECT_THAT(two("mood", "kind"), HasSubstr("differs in type (public.mood and public.kind)"));
    EXPECT_THAT(two("mood", "text"), HasSubstr("differs in type"));
}

}  // namespace
}  // namespace pgveil::config
