#include "keyshare/quorum/dealing.hpp"
#include "keyshare/quorum/reshare_transcript.hpp"
#include "test/keyshare/quorum/ceremony.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

// Every serialised form: what is written is read, anything shorter, longer or of another format is
// refused, and what is accepted has one form.

namespace pgveil::quorum {
namespace {

using core::Bytes;
using testing::Ceremony;
using testing::Change;

// Empty: refused. Else what the parser read, written again.
using Form = std::function<Bytes(core::ByteView)>;

template <class T>
Bytes again(const Result<T>& parsed) {
    return parsed.has_value() ? serialize(*parsed) : Bytes();
}

template <class T>
Bytes again_secret(const Result<T>& parsed) {
    return parsed.has_value() ? core::to_bytes(serialize(*parsed).reveal()) : Bytes();
}

void expect_strict(const std::string& name, const Bytes& sound, const Form& form) {
    EXPECT_EQ(form(sound), sound) << name;
    for (std::size_t size = 0; size < sound.size(); size += 7) {
        EXPECT_EQ(form(core::ByteView(sound).first(size)), Bytes()) << name << " cut to " << size;
    }
    Bytes longer = sound;
    longer.push_back(0);
    EXPECT_EQ(form(longer), Bytes()) << name;
    for (std::size_t at = 0; at < sound.size(); at += 3) {
        Bytes changed = sound;
        changed[at] ^= 0x41U;
        const Bytes read = form(changed);
        EXPECT_TRUE(read.empty() || read == changed) << name << " at " << at;
    }
}

TEST(FormsTest, EveryFormIsStrict) {
    Ceremony run({2, 3});
    run.run();
    Change change(run.group, {2, 3});
    change.deal(run.keys, run.shares).accept_all();
    const auto sealed = testing::seal_to(run.group);
    const OpenRequest asked = *ask(run.group, sealed.point, "a", "b");
    const auto partial = make_partial(run.group, run.shares[0], sealed.point, {});

    expect_strict("group", serialize(run.group), [](auto b) { return again(parse_group(b)); });
    expect_strict("share", core::to_bytes(serialize(run.shares[0]).reveal()), [](auto b) {
        return again_secret(parse_key_share(b));
    });
    expect_strict("partial", core::to_bytes(serialize(*partial).reveal()), [](auto b) {
        return again_secret(parse_partial(b));
    });
    expect_strict("dealing", run.dealings[0], [](auto b) { return again(parse_dealing(b, 2, 3)); });
    expect_strict("transcript", run.transcript, [](auto b) { return again(parse_transcript(b)); });
    expect_strict("certificate", serialize(run.certificate), [](auto b) {
        return again(parse_certificate(b));
    });
    expect_strict("request", serialize(asked.request), [](auto b) {
        return again(parse_request(b));
    });
    expect_strict("reshare transcript", change.transcript, [](auto b) {
        return again(parse_reshare_transcript(b));
    });
    expect_strict("reshare certificate", serialize(change.certificate), [](auto b) {
        return again(parse_reshare_certificate(b));
    });
}

TEST(FormsTest, AGroupThatNobodyMadeIsNone) {
    Ceremony run({2, 3});
    run.run();
    Group group = run.group;
    group.members[1] = group.members[0];
    EXPECT_TRUE(parse_group(serialize(group)).has_error());
    group = run.group;
    group.threshold = 3;
    EXPECT_TRUE(parse_group(serialize(group)).has_error());
}

}  // namespace
}  // namespace pgveil::quorum
