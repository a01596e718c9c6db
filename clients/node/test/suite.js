// The kit against a running pgveil: test/clients/kits_test.py starts it, gives this suite what it needs in PGVEIL_TEST_*, and
// reads its lines: `ok CASE SECONDS s` or `failed CASE: why`.
'use strict'

const assert = require('node:assert/strict')
const { inspect } = require('node:util')
const { Pool } = require('pg')
const { ShareError, sharesOf, shareFolder, withShares } = require('pgveil')

const env = process.env
const TOKENS = { nurse: env.PGVEIL_TEST_NURSE, clerk: env.PGVEIL_TEST_CLERK }
const TURNS = Number(env.PGVEIL_TEST_TURNS)
const ROWS = 'SELECT owner, note FROM visits'
const SEEN = { nurse: [{ owner: 'nurse', note: 'Zelda Quartz' }], clerk: [{ owner: 'clerk', note: "Oskar O'Dune" }] }

const appShareOf = shareFolder(env.PGVEIL_TEST_SHARES)
const headersOf = (user) => ({ 'pgveil-user': user, 'pgveil-user-share': TOKENS[user] })
const shares = (user) => sharesOf(headersOf(user), appShareOf)
const pool = (max, more) => new Pool({ connectionString: env.PGVEIL_TEST_URL, max, ...more })

/** Whether the pool's next client opens anybody's values. */
async function leftIn (some) {
  try {
    return (await some.query(ROWS)).rows.length > 0
  } catch (error) {
    assert.equal(error.code, '28000')
    return false
  }
}

/** How many of so many transactions of two users in turn saw anything but their user's rows. */
async function interleaved (some, transaction, turns) {
  let wrong = 0
  let next = 0
  const worker = async () => {
    for (let turn = next++; turn < turns; turn = next++) {
      const user = ['nurse', 'clerk'][turn % 7 ? turn % 2 : 0]
      await transaction(some, await shares(user), async (client) => {
        const { rows } = await client.query(ROWS)
        if (inspect(rows) !== inspect(SEEN[user])) wrong++
        if (turn % 5 === 0) await client.query('SELECT 1 / 0')
      }).catch((error) => assert.equal(error.code, '22012'))
    }
  }
  await Promise.all(Array.from({ length: 6 }, worker))
  return wrong
}

const cases = {
  async headers_without_shares () {
    const good = headersOf('nurse')
    for (const [name, value, why] of [
      ['pgveil-user', undefined, 'no Pgveil-User header'], ['pgveil-user-share', '', 'no Pgveil-User-Share header'],
      ['pgveil-user', '../users/nurse', 'not a user id'], ['pgveil-user', '.nurse', 'not a user id'],
      ['pgveil-user', 'nur\nse', 'not a user id'], ['pgveil-user', 'n'.repeat(256), 'not a user id'],
      ['pgveil-user-share', good['pgveil-user-share'] + "'", 'not a token'], ['pgveil-user-share', 'pgvt1.', 'not a token'],
      ['pgveil-user-share', good['pgveil-user-share'] + '\n', 'not a token'],
      ['pgveil-user', 'nobody', "no app share (pgva1....) of user 'nobody'"]]) {
      await assert.rejects(sharesOf({ ...good, [name]: value }, appShareOf), (error) => {
        assert(error instanceof ShareError && error.message.includes(why), error.message)
        assert(!error.message.includes(TOKENS.nurse))
        return true
      })
    }
    await assert.rejects(sharesOf(good, () => 'pgvt1.other'), ShareError)
    await assert.rejects(withShares({ connect: () => assert.fail('asked for a client') }, undefined, () => {}), ShareError)
    const found = await sharesOf(new Headers(good), appShareOf)
    for (const shown of [inspect(found, { depth: 9, showHidden: true }), JSON.stringify(found)]) {
      assert(shown.includes('nurse') && !found.values().slice(1).some((secret) => shown.includes(secret)), shown)
    }
  },

  async transactions () {
    const one = pool(1)
    for (const user of ['nurse', 'clerk', 'nurse']) {
      assert.deepEqual((await withShares(one, await shares(user), (client) => client.query(ROWS))).rows, SEEN[user])
      assert.equal(await leftIn(one), false)
    }
    await one.end()
  },

  async transactions_that_fail () {
    const one = pool(1)
    const nurse = await shares('nurse')
    await assert.rejects(withShares(one, nurse, async (client) => { await client.query(ROWS); throw new Error('mine') }), /mine/)
    assert.equal(await leftIn(one), false)
    await assert.rejects(withShares(one, nurse, (client) => client.query('SELECT 1 / 0')), { code: '22012' })
    assert.equal(await leftIn(one), false)
    const swallowed = (client) => client.query('SELECT 1 / 0').catch(() => 'never mind')
    await assert.rejects(withShares(one, nurse, swallowed), /was rolled back/)
    assert.equal(await leftIn(one), false)
    await assert.rejects(withShares(one, nurse, (client) => client.release()), ShareError)
    assert.equal(await leftIn(one), false)
    await one.end()
  },

  async a_client_that_is_used_too_late () {
    const one = pool(1)
    let kept
    await withShares(one, await shares('nurse'), async (client) => { kept = client })
    assert.throws(() => kept.query(ROWS), ShareError)
    const clerk = withShares(one, await shares('clerk'), (client) => client.query(ROWS))
    assert.throws(() => kept.query(ROWS), ShareError)
    assert.deepEqual((await clerk).rows, SEEN.clerk)
    await one.end()
  },

  async a_query_that_times_out () {
    const one = pool(1, { query_timeout: 300 })
    one.on('error', () => {})
    await assert.rejects(withShares(one, await shares('nurse'), (client) => client.query('SELECT pg_sleep(60)')), /timeout/)
    assert.equal(one.totalCount, 0, 'its client must not come back')
    await one.end()
  },

  async interleaved_in_a_pool () {
    const some = pool(3)
    assert.equal(await interleaved(some, withShares, TURNS), 0)
    assert.equal(await leftIn(some), false)
    await some.end()
  },

  // What the cases above would say of a kit that sets shares for the session and takes nothing back.
  async control_shares_set_for_the_session_stay_in_the_pool () {
    const some = pool(1)
    const statement = "SELECT set_config('pgveil.user_id', $1, false), set_config('pgveil.user_token', $2, false), " +
      "set_config('pgveil.app_share', $3, false)"
    await some.query(statement, (await shares('nurse')).values())
    assert.equal(await leftIn(some), true)
    const forgetful = async (from, _, work) => {
      const client = await from.connect()
      await work(client).finally(() => client.release())
    }
    assert(await interleaved(some, forgetful, 100) > 0)
    await some.end()
  }
}

async function main () {
  let failures = 0
  for (const [name, run] of Object.entries(cases)) {
    const began = Date.now()
    try {
      await run()
      console.log(`ok ${name} ${((Date.now() - began) / 1000).toFixed(1)} s`)
    } catch (error) {
      failures++
      console.log(`failed ${name}: ${error.message}`)
      console.error(error)
    }
  }
  process.exit(failures ? 1 : 0)
}

main()
