#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/seal/seal.hpp"

#include <string>

// How several proxies renew one store key without sending it: the next key follows from the former
// one and from random bytes that lie in the store. Who has the next key and the bytes cannot go
// back, so that older copies of the store die with the former key.
namespace pgveil::store {

/// What the store calls a key: it tells nothing about it.
std::string key_name(const seal::StoreKey& key);

/// HKDF(former key, LP("pgveil/1 next store key", random)).
seal::StoreKey next_key(const seal::StoreKey& former, core::ByteView random);

}  // namespace pgveil::store
