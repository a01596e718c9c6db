#pragma once

#include "keyshare/core/p256.hpp"

#include <openssl/ec.h>

#include <memory>

namespace pgveil::core {

/// Arithmetic on P-256 in libcrypto's terms: only for files under keyshare/.
struct FreeCurve {
    void operator()(bignum_st* number) const noexcept;
    void operator()(bignum_ctx* context) const noexcept;
    void operator()(ec_point_st* point) const noexcept;
};

using Bignum = std::unique_ptr<bignum_st, FreeCurve>;
using BignumContext = std::unique_ptr<bignum_ctx, FreeCurve>;
using CurvePoint = std::unique_ptr<ec_point_st, FreeCurve>;

/// The group, made once per process. Any thread.
const EC_GROUP* p256_group();

/// The scalar as a number marked for constant-time use; null when it is 0 or not below the order.
Bignum scalar_number(const Scalar& scalar);

}  // namespace pgveil::core
