-- KIND is veiled or plain.
CREATE TABLE KIND_accounts (aid bigint UNIQUE, bid integer, abalance integer, filler text);
CREATE TABLE KIND_history (id bigserial PRIMARY KEY, aid bigint, delta integer, mtime timestamp);
CREATE TABLE KIND_mixed (id bigserial PRIMARY KEY, aid bigint, abalance integer);
CREATE INDEX ON KIND_mixed (aid);
CREATE TABLE KIND_big (id bigint, name text, amount bigint);
CREATE TABLE KIND_copied (id bigint, name text, amount bigint);
