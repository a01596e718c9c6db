#pragma once

#include "keyshare/core/p256.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/quorum/partial.hpp"

namespace pgveil::custody {

/// A point as the custodians may see it: uniformly random, whatever point it hides (McCallum and
/// Relyea's exchange). So they learn neither what is opened nor whether the same is opened again.
/// Secret but for `blinded`; for one question only. Move-only.
struct Blinding {
    core::PublicPoint blinded;
    core::Scalar factor;
};

Blinding blind(const core::PublicPoint& point);

/// The group's private key times the point, from its private key times the blinded point.
quorum::SecretPoint unblind(
    const quorum::Group& group, const Blinding& blinding, const quorum::SecretPoint& answer
);

}  // namespace pgveil::custody
