-- The dictionary of keys (pgveil-tenant key), made through the proxy, with the policy of
-- key_dictionary.json. "expires" is in Unix seconds.
CREATE TABLE pgveil_keys (
    id uuid PRIMARY KEY,
    label text NOT NULL UNIQUE,
    owner text NOT NULL,
    expires int8 NOT NULL,
    record text NOT NULL,
    object bytea
);
