// From a web request to rows: the session parameters of pgveil, set for one transaction of a pg pool. The server undoes them
// with the transaction, however that ends, so that a client goes back to its pool without them. See docs/APPLICATIONS.md.
'use strict'

const { readFile } = require('node:fs/promises')
const { join } = require('node:path')

const USER_HEADER = 'Pgveil-User'
const SHARE_HEADER = 'Pgveil-User-Share'
// pgveil wants the names as literals. The values are parameters: they stand in no text that is logged.
const SET_SHARES = "SELECT set_config('pgveil.user_id', $1, true), set_config('pgveil.user_token', $2, true), " +
  "set_config('pgveil.app_share', $3, true)"
const USER_ID = /^(?!\.)[ -.0-[\]-~]{1,255}$/
const TOKEN = /^pgvt1\.[A-Za-z0-9_-]+$/
const APP_SHARE = /^pgva1\.[A-Za-z0-9_-]+$/

/** There are no shares to be used; nothing was sent. The message holds none. */
class ShareError extends Error {
  name = 'ShareError'
}

/** What one request brought. Inspecting or serialising it shows the user id alone. */
class Shares {
  #token
  #appShare
  constructor (userId, token, appShare) {
    this.userId = userId
    this.#token = token
    this.#appShare = appShare
  }

  /** The parameters of the statement that sets them. */
  values () {
    return [this.userId, this.#token, this.#appShare]
  }
}

/** The shares of a request. headers: request.headers, or a Headers; appShareOf: user id -> app share, or nothing; may be async. */
async function sharesOf (headers, appShareOf) {
  const header = (name) => headers.get?.(name) ?? headers[name.toLowerCase()]
  const userId = header(USER_HEADER)
  const token = header(SHARE_HEADER)
  if (!userId || !token) throw new ShareError(`the request has no ${userId ? SHARE_HEADER : USER_HEADER} header`)
  if (!USER_ID.test(userId)) throw new ShareError(`${USER_HEADER} is not a user id of printable ASCII without slashes`)
  if (!TOKEN.test(token)) throw new ShareError(`${SHARE_HEADER} is not a token (pgvt1....)`)
  const appShare = await appShareOf(userId)
  if (!APP_SHARE.test(appShare ?? '')) throw new ShareError(`the application has no app share (pgva1....) of user '${userId}'`)
  return new Shares(userId, token, appShare)
}

/** appShareOf for a directory of UID.app files. A file is read at each call: a renewed one counts at once. */
function shareFolder (path) {
  return async (userId) => {
    try {
      return (await readFile(join(path, `${userId}.app`), 'ascii')).trim()
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
  }
}

/** What `work` gets: the client, until the transaction ends; later calls would run for somebody else. */
function lent (client, state) {
  return new Proxy(client, {
    get (target, name) {
      if (state.ended) throw new ShareError('the transaction of these shares has ended; await every query inside of it')
      if (name === 'release' || name === 'end') throw new ShareError('withShares() gives the client back itself')
      const member = target[name]
      return typeof member === 'function' ? member.bind(target) : member
    }
  })
}

/** Runs work(client) in one transaction with these shares: committed when it fulfils, rolled back when it rejects. */
async function withShares (pool, shares, work) {
  if (!(shares instanceof Shares)) throw new ShareError('no shares: give withShares() what sharesOf() returned')
  const client = await pool.connect()
  const state = { ended: false }
  let broken
  try {
    await client.query('BEGIN')
    await client.query(SET_SHARES, shares.values())
    const result = await work(lent(client, state))
    state.ended = true
    const { command } = await client.query('COMMIT')
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back: a statement in it had failed')
    return result
  } catch (error) {
    state.ended = true
    await client.query('ROLLBACK').catch((trouble) => { broken = trouble })
    throw error
  } finally {
    client.release(broken) // with an error the pool closes it
  }
}

module.exports = { Shares, ShareError, sharesOf, shareFolder, withShares }
