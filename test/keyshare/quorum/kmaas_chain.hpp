#pragma once

#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace pgveil::quorum::testing {

// The paper's scheme as it is written (notes K1 to K7), over a prime field, because over the
// integers its factors are fractions. It is here to be broken: the product does it otherwise.

/// A number modulo 2^32 - 5.
using Element = std::uint64_t;

Element plus(Element left, Element right);
Element minus(Element left, Element right);
Element times(Element left, Element right);
Element over(Element left, Element right);

using Positions = std::vector<std::uint32_t>;

/// g_S(i), the product of j / (j - i) over the others of the set.
Element paper_factor(const Positions& set, std::uint32_t index);

/// The value at 0 of the polynomial through these points.
Element value_at_zero(const Positions& set, const std::vector<Element>& values);

/// One message's pad: the dealer's polynomial, f(1..n) of the providers and f(n+1) of the user.
class PaperPad {
public:
    PaperPad(std::uint32_t threshold, std::uint32_t providers);

    Element share(std::uint32_t index) const;

    /// 1 to n, and n + 1 for the user.
    Positions everybody() const;

    /// The way there: sent[0] from the user to CC1, sent[i] from CCi to the next, sent[n] = m + a0
    /// back to CC1, which stores it.
    std::vector<Element> encrypt(Element message) const;

    /// The way back over t positions: sent[0] is what the first one got, sent.back() the result.
    std::vector<Element> decrypt(Element stored, const Positions& way) const;

private:
    std::uint32_t providers_;
    std::vector<Element> coefficients_;
};

/// u_m = h(m) || U || CC || d.
core::Bytes paper_token(Element message, std::string_view user, std::uint64_t date);

/// sig_CCn(...sig_CC1(u_m)): each signs what it got from the one before.
std::vector<core::Signature> nested_signatures(
    core::ByteView token, const std::vector<core::SigningKey>& providers
);
bool all_took_part(
    core::ByteView token,
    const std::vector<core::SigningKey>& providers,
    const std::vector<core::Signature>& signatures
);

}  // namespace pgveil::quorum::testing
