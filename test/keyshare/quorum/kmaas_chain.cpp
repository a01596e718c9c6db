#include "test/keyshare/quorum/kmaas_chain.hpp"

#include "keyshare/core/random.hpp"

#include <algorithm>

namespace pgveil::quorum::testing {
namespace {

constexpr Element kPrime = 4294967291U;

Element random_element() {
    std::array<std::uint8_t, 8> bytes{};
    core::system_random().fill(bytes);
    return 1 + core::read_big_endian64(bytes) % (kPrime - 1);
}

Element power(Element base, Element exponent) {
    Element out = 1;
    for (; exponent != 0; exponent >>= 1U) {
        out = (exponent & 1U) != 0 ? times(out, base) : out;
        base = times(base, base);
    }
    return out;
}

}  // namespace

Element plus(Element left, Element right) {
    return (left + right) % kPrime;
}

Element minus(Element left, Element right) {
    return (left + kPrime - right) % kPrime;
}

Element times(Element left, Element right) {
    return left * right % kPrime;
}

Element over(Element left, Element right) {
    return times(left, power(right, kPrime - 2));
}

Element paper_factor(const Positions& set, std::uint32_t index) {
    Element out = 1;
    for (const std::uint32_t other : set) {
        if (other != index) {
            out = times(out, over(other, minus(other, index)));
        }
    }
    return out;
}

Element value_at_zero(const Positions& set, const std::vector<Element>& values) {
    Element out = 0;
    for (std::size_t i = 0; i < set.size(); ++i) {
        out = plus(out, times(values[i], paper_factor(set, set[i])));
    }
    return out;
}

PaperPad::PaperPad(std::uint32_t threshold, std::uint32_t providers) : providers_(providers) {
    while (coefficients_.size() < threshold) {
        coefficients_.push_back(random_element());
    }
}

Element PaperPad::share(std::uint32_t index) const {
    Element out = 0;
    for (auto coefficient = coefficients_.rbegin(); coefficient != coefficients_.rend();
         ++coefficient) {
        out = plus(times(out, index), *coefficient);
    }
    return out;
}

Positions PaperPad::everybody() const {
    Positions out;
    for (std::uint32_t index = 1; index <= providers_ + 1; ++index) {
        out.push_back(index);
    }
    return out;
}

std::vector<Element> PaperPad::encrypt(Element message) const {
    const Positions set = everybody();
    const auto layer = [&](std::uint32_t index) {
        return times(share(index), paper_factor(set, index));
    };
    std::vector<Element> sent{plus(message, layer(providers_ + 1))};
    for (std::uint32_t index = 1; index <= providers_; ++index) {
        sent.push_back(plus(sent.back(), layer(index)));
    }
    return sent;
}

std::vector<Element> PaperPad::decrypt(Element stored, const Positions& way) const {
    std::vector<Element> sent{stored};
    for (const std::uint32_t index : way) {
        sent.push_back(minus(sent.back(), times(share(index), paper_factor(way, index))));
    }
    return sent;
}

core::Bytes paper_token(Element message, std::string_view user, std::uint64_t date) {
    core::Bytes out = core::to_bytes(core::sha256(core::big_endian64(message)));
    core::append(out, core::as_bytes(user));
    core::append(out, core::as_bytes("CC1"));
    core::append(out, core::big_endian64(date));
    return out;
}

std::vector<core::Signature> nested_signatures(
    core::ByteView token, const std::vector<core::SigningKey>& providers
) {
    std::vector<core::Signature> out;
    for (const core::SigningKey& provider : providers) {
        out.push_back(provider.sign(out.empty() ? token : core::ByteView(out.back())));
    }
    return out;
}

bool all_took_part(
    core::ByteView token,
    const std::vector<core::SigningKey>& providers,
    const std::vector<core::Signature>& signatures
) {
    if (signatures.size() != providers.size()) {
        return false;
    }
    for (std::size_t i = 0; i < providers.size(); ++i) {
        const core::ByteView signed_words = i == 0 ? token : core::ByteView(signatures[i - 1]);
        if (!providers[i].verifying_key().verify(signed_words, signatures[i])) {
            return false;
        }
    }
    return true;
}

}  // namespace pgveil::quorum::testing
