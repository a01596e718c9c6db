// node-postgres: one small suite. See ../cases.py for its lines.
'use strict'

const { pipeline } = require('stream/promises')
const { Readable } = require('stream')
const pg = require('pg')
const Cursor = require('pg-cursor')
const { from: copyFrom, to: copyTo } = require('pg-copy-streams')

const DAY = '1984-02-29'
const INSERT = 'INSERT INTO people (id, ssn, name, born, balance, note, town) VALUES ($1, $2, $3, $4, $5, $6, $7)'
const PEOPLE = [
  [1, '911-00-0001', 'Zelda Quartz', DAY, '10.50', 'left handed', 1],
  [2, '911-00-0002', "Oskar O'Dune", '1999-12-31', -3, null, 2],
  [3, '911-00-0003', 'Žaneta \\ Říční', null, null, '', null]
]
const KINDS = {
  truth: true, small: -32768, whole: 2147483647, large: '-9223372036854775808', exact: '12345678.9012', loose: '1e-20',
  single: 1.5, twice: 0.1, words: 'naïve\ttext', short: 'twenty characters ok', padded: 'pad',
  bytes: Buffer.from([...Array(256).keys()]), day: DAY, moment: '2001-02-03 04:05:06.789012',
  instant: new Date(Date.UTC(2001, 1, 3, 4, 5, 6, 789)), identity: '11111111-2222-3333-4444-555555555555'
}

let current = ''
const say = (...seen) => console.log(`${current}: ${seen.map((value) => JSON.stringify(value)).join(' ')}`)

function show (result) {
  say(result.command, result.rowCount, result.fields.map((field) => [field.name, field.dataTypeID, field.dataTypeModifier]))
  for (const row of result.rows) say(row)
}

async function filled (client) {
  await client.query('DELETE FROM people')
  for (const row of PEOPLE) await client.query(INSERT, row)
}

async function otherTypes (client, table, columns, ...rows) {
  await client.query(`DELETE FROM ${table}`)
  let id = 0
  const marks = columns.map((_, n) => `$${n + 2}`).join(', ')
  for (const row of [...rows, columns.map(() => null)]) {
    await client.query(`INSERT INTO ${table} (id, ${columns.join(', ')}) VALUES ($1, ${marks})`, [id++, ...row])
  }
  show(await client.query(`SELECT * FROM ${table} ORDER BY id`))
}

async function copied (client, text, lines) {
  const stream = client.query(copyFrom(text))
  await pipeline(Readable.from(lines), stream)
  say(stream.rowCount)
}

const cases = {
  async crud (client) {
    await filled(client)
    show(await client.query('SELECT * FROM people ORDER BY id'))
    say((await client.query('UPDATE people SET name = $1, balance = $2 WHERE ssn = $3', ['Zelda Q.', 11, '911-00-0001'])).rowCount)
    show(await client.query('SELECT p.name, balance, t.name AS town FROM people p JOIN towns t ON t.id = town WHERE ssn = $1',
      ['911-00-0001']))
    show(await client.query({ text: 'SELECT id, born FROM people WHERE born > $1 ORDER BY born DESC', values: [DAY], rowMode: 'array' }))
    show(await client.query('SELECT min(balance), max(balance), count(note) FROM people'))
    say((await client.query("DELETE FROM people WHERE ssn IN ($1, 'none')", ['911-00-0002'])).rowCount)
  },

  async types (client) {
    for (const binary of [false, true]) {
      await client.query('DELETE FROM kinds')
      const names = Object.keys(KINDS)
      const marks = names.map((_, number) => `$${number + 2}`)
      await client.query(`INSERT INTO kinds (id, ${names.join(', ')}) VALUES ($1, ${marks.join(', ')})`, [1, ...Object.values(KINDS)])
      show(await client.query({ text: 'SELECT * FROM kinds', values: [], binary }))
      for (const name of names.filter((name) => !['loose', 'single', 'bytes'].includes(name))) {
        show(await client.query(`SELECT ${name} FROM kinds WHERE ${name} = $1`, [KINDS[name]]))
      }
    }
  },

  async nulls (client) {
    await client.query('DELETE FROM kinds')
    const names = Object.keys(KINDS)
    const marks = names.map((_, number) => `$${number + 2}`)
    await client.query(`INSERT INTO kinds (id, ${names.join(', ')}) VALUES ($1, ${marks.join(', ')})`, [2, ...names.map(() => null)])
    show(await client.query('SELECT * FROM kinds WHERE words IS NULL'))
    show(await client.query('SELECT id FROM kinds WHERE words IS NOT DISTINCT FROM $1', [null]))
  },

  async times (client) {
    await otherTypes(client, 'clocks', ['at', 'span', 'zoned'],
      ['23:59:59.999999', '1 mon -3 days 00:00:07', '08:15:00.5+05:30'])
  },

  async documents (client) {
    await otherTypes(client, 'documents', ['raw', 'doc'], [{ b: [1, 2.5, null], a: {} }, { b: [1, 2.5, null], a: {} }])
  },

  async hosts (client) {
    await otherTypes(client, 'hosts', ['host', 'net'], ['10.1.2.3/8', '2001:db8::/32'])
  },

  async lists (client) {
    await otherTypes(client, 'lists', ['marks', 'tags'], [[1, null, 3], ['a b', 'q"', null]], [[], []])
  },

  // One after the other, and many statements in one text.
  async batch (client) {
    await client.query('DELETE FROM people')
    const rows = [...Array(50).keys()].map((n) => [n, `922-${n}`, `Batch ${n}`, DAY, n, null, 1])
    const answers = []
    for (const row of rows) answers.push(await client.query(INSERT + ' RETURNING id, name', row))
    for (const answer of answers) say(answer.rows[0])
    for (const result of await client.query("UPDATE people SET name = 'X' WHERE id < 3; SELECT count(*) FROM people; " +
      'SELECT name FROM people WHERE id IN (2, 3) ORDER BY id')) show(result)
  },

  async pool () {
    const pool = new pg.Pool({ connectionString: process.argv[2], max: 3 })
    try {
      await pool.query('DELETE FROM people')
      await Promise.all(PEOPLE.map((row) => pool.query(INSERT, row)))
      show(await pool.query('SELECT id, name FROM people ORDER BY id'))
    } finally {
      await pool.end()
    }
  },

  async transactions (client) {
    await filled(client)
    await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE')
    await client.query("UPDATE people SET name = 'Gone' WHERE id = 1")
    await client.query('ROLLBACK')
    show(await client.query('SELECT name FROM people WHERE id = 1'))
  },

  async savepoints (client) {
    await filled(client)
    await client.query('BEGIN')
    await client.query("UPDATE people SET name = 'Kept' WHERE id = 1")
    await client.query('SAVEPOINT inside')
    await client.query("UPDATE people SET name = 'Lost' WHERE id = 2")
    await client.query(INSERT, PEOPLE[2]).catch((error) => say(error.code, error.constraint))
    await client.query('SELECT 1').catch((error) => say(error.code))
    await client.query('ROLLBACK TO inside')
    await client.query('COMMIT')
    show(await client.query('SELECT id, name FROM people ORDER BY id'))
  },

  async returning (client) {
    await filled(client)
    show(await client.query(INSERT + ' RETURNING *, id + 1', [4, '911-00-0004', 'New', DAY, '1.005', 'note', 3]))
    show(await client.query('UPDATE people SET note = $1 WHERE id > 2 RETURNING id, note', ['n']))
    show(await client.query('DELETE FROM people WHERE ssn = $1 RETURNING name, born', ['911-00-0004']))
  },

  async upsert (client) {
    await filled(client)
    for (const name of ['First', 'Second']) {
      show(await client.query(INSERT + ' ON CONFLICT (ssn) DO UPDATE SET name = excluded.name, balance = excluded.balance ' +
        'RETURNING id, name, balance', [7, '911-00-0007', name, null, 5, null, null]))
    }
    say((await client.query(INSERT + ' ON CONFLICT DO NOTHING', PEOPLE[0])).rowCount)
  },

  async copy (client) {
    await client.query('DELETE FROM people')
    await copied(client, 'COPY people (id, ssn, name, born) FROM STDIN', ['1\t911-00-0001\tZelda Qu', 'artz\t1984-02-29\n2\tb\tc\t\\N\n'])
    await copied(client, 'COPY people FROM STDIN (FORMAT csv)', ['3,911-00-0003,"a ""b"", c",,1.50,"",\n'])
    for (const how of ['', '(FORMAT csv, HEADER)']) {
      let seen = ''
      for await (const part of client.query(copyTo(`COPY (SELECT id, ssn, name, born, note FROM people ORDER BY id) TO STDOUT ${how}`))) {
        seen += part
      }
      say(seen)
    }
  },

  async errors (client) {
    await filled(client)
    for (const [text, values] of [[INSERT, PEOPLE[0]], [INSERT, [9, '911-00-0001', 'Twice', null, null, null, null]],
      [INSERT, [9, null, 'No number', null, null, null, null]], [INSERT, [9, 'x', 'y'.repeat(61), null, null, null, null]],
      [INSERT, [9, 'x', 'y', null, '1e9', null, null]], [INSERT, [9, 'x', 'y', null, null, null, 77]],
      ['SELECT name FROM people WHERE born = $1', ['no day']], ['SELECT nothing FROM people'], ['SELECT name FROM peoples'],
      ['SELEC name']]) {
      await client.query(text, values).then(() => say('no error'), (error) => say(error.name, error.code, error.severity, error.column,
        error.constraint, error.table, error.position, error.message, error.code === '23505' ? error.detail : ''))
    }
    show(await client.query('SELECT count(*) FROM people'))
  },

  async prepared (client) {
    await filled(client)
    const named = (ssn) => client.query({ name: 'by-ssn', text: 'SELECT id, name FROM people WHERE ssn = $1', values: [ssn] })
    for (const row of [...PEOPLE, ...PEOPLE]) show(await named(row[1]))
    await client.query('CREATE TEMPORARY TABLE scratch (a int)')
    show(await named('911-00-0002'))
    await client.query({ name: 'by-ssn', text: 'SELECT 1' }).catch((error) => say(error.message))
  },

  async cursor (client) {
    await client.query('DELETE FROM people')
    for (let n = 0; n < 100; n++) await client.query(INSERT, [n, `933-${n}`, `Row ${n}`, DAY, n, null, 1])
    const cursor = client.query(new Cursor('SELECT id, name, balance FROM people WHERE id >= $1 ORDER BY id', [10]))
    say((await cursor.read(40)).length, (await cursor.read(1)), (await cursor.read(1000)).length, await cursor.read(10))
    await cursor.close()
    const closed = client.query(new Cursor('SELECT id, name FROM people ORDER BY id'))
    say(await closed.read(2))
    await closed.close()
    show(await client.query('SELECT count(*) FROM people'))
  },

  async declared_cursor (client) {
    await filled(client)
    await client.query('BEGIN')
    await client.query('DECLARE walk CURSOR FOR SELECT id, name FROM people ORDER BY id')
    show(await client.query('FETCH 2 FROM walk'))
    await client.query('COMMIT')
  },

  async any_of_a_list (client) {
    await filled(client)
    show(await client.query('SELECT id FROM people WHERE id = ANY($1) ORDER BY id', [[1, 3]]))
    show(await client.query('SELECT id FROM people WHERE ssn = ANY($1) ORDER BY id', [['911-00-0001', 'none', '911-00-0003']]))
  },

  async choices (client) {
    await filled(client)
    show(await client.query("SELECT id, coalesce(note, 'none') FROM people ORDER BY id"))
    await client.query('UPDATE people SET name = CASE WHEN id = $1 THEN $2 ELSE name END', [1, 'Case One'])
    show(await client.query('SELECT id, name FROM people ORDER BY id'))
  },

  async stays (client) {
    await filled(client)
  }
}

async function main () {
  let failures = 0
  for (const [name, body] of Object.entries(cases)) {
    current = name
    const client = new pg.Client({ connectionString: process.argv[2] })
    try {
      await client.connect()
      await body(client)
      console.log(`ok ${name}`)
    } catch (error) {
      failures++
      console.log(`failed ${name}: ${error.code || error.name} ${error.message.replace(/\s+/g, ' ')}`)
    } finally {
      await client.end()
    }
  }
  process.exitCode = failures ? 1 : 0
}

main()
