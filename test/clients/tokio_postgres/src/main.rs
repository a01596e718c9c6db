//! tokio-postgres: one small suite. See ../cases.py for its lines. It prepares every statement and speaks binary.

use std::{env, error::Error, fs, future::Future, pin::pin, process::exit};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use futures_util::{future::try_join_all, SinkExt, StreamExt, TryStreamExt};
use rust_decimal::Decimal;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, IsolationLevel, Row, SimpleQueryMessage};

type Seen = Result<(), Box<dyn Error>>;
type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

const INSERT: &str = "INSERT INTO people (id, ssn, name, born, balance, note, town) VALUES ($1, $2, $3, $4, $5, $6, $7)";

struct Person(i32, &'static str, &'static str, Option<NaiveDate>, Option<Decimal>, Option<&'static str>, Option<i32>);

/// One case: its name, and the connection it talks over.
struct Session {
    name: &'static str,
    client: Client,
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(1984, 2, 29).unwrap()
}

fn people() -> [Person; 3] {
    [
        Person(1, "911-00-0001", "Zelda Quartz", Some(day()), Some(Decimal::new(1050, 2)), Some("left handed"), Some(1)),
        Person(2, "911-00-0002", "Oskar O'Dune", NaiveDate::from_ymd_opt(1999, 12, 31), Some(Decimal::new(-3, 0)), None, Some(2)),
        Person(3, "911-00-0003", "Žaneta \\ Říční", None, None, Some(""), None),
    ]
}

/// A cell as its own Rust type shows it.
fn shown(row: &Row, index: usize) -> String {
    macro_rules! cell {
        ($kind:ty) => {
            format!("{:?}", row.get::<_, Option<$kind>>(index))
        };
    }
    match *row.columns()[index].type_() {
        Type::BOOL => cell!(bool),
        Type::INT2 => cell!(i16),
        Type::INT4 => cell!(i32),
        Type::INT8 => cell!(i64),
        Type::FLOAT4 => cell!(f32),
        Type::FLOAT8 => cell!(f64),
        Type::NUMERIC => cell!(Decimal),
        Type::BYTEA => cell!(Vec<u8>),
        Type::DATE => cell!(NaiveDate),
        Type::TIME => cell!(NaiveTime),
        Type::TIMESTAMP => cell!(NaiveDateTime),
        Type::TIMESTAMPTZ => cell!(DateTime<Utc>),
        Type::UUID => cell!(uuid::Uuid),
        Type::JSON | Type::JSONB => cell!(serde_json::Value),
        Type::INT4_ARRAY => cell!(Vec<Option<i32>>),
        Type::TEXT_ARRAY => cell!(Vec<Option<String>>),
        _ => cell!(String),
    }
}

impl Session {
    fn say(&self, seen: impl AsRef<str>) {
        println!("{}: {}", self.name, seen.as_ref());
    }

    fn show_row(&self, row: &Row) {
        let cells: Vec<String> = (0..row.len()).map(|index| shown(row, index)).collect();
        self.say(cells.join(" "));
    }

    async fn show(&self, sql: &str, values: Values<'_>) -> Seen {
        let statement = self.client.prepare(sql).await?;
        for column in statement.columns() {
            self.say(format!("{} {} {}", column.name(), column.type_(), column.type_modifier()));
        }
        self.say(format!("{:?}", statement.params()));
        for row in self.client.query(&statement, values).await? {
            self.show_row(&row);
        }
        Ok(())
    }

    async fn exec(&self, sql: &str, values: Values<'_>) -> Result<u64, tokio_postgres::Error> {
        self.client.execute(sql, values).await
    }

    async fn insert(&self, person: &Person) -> Result<u64, tokio_postgres::Error> {
        let Person(id, ssn, name, born, balance, note, town) = person;
        self.exec(INSERT, &[id, ssn, name, born, balance, note, town]).await
    }

    async fn filled(&self) -> Seen {
        self.exec("DELETE FROM people", &[]).await?;
        for person in &people() {
            self.insert(person).await?;
        }
        Ok(())
    }
}

async fn crud(s: &mut Session) -> Seen {
    s.filled().await?;
    s.show("SELECT * FROM people ORDER BY id", &[]).await?;
    let update = "UPDATE people SET name = $1, balance = $2 WHERE ssn = $3";
    s.say(format!("{}", s.exec(update, &[&"Zelda Q.", &Decimal::new(11, 0), &"911-00-0001"]).await?));
    s.show("SELECT p.name, balance, t.name AS town FROM people p JOIN towns t ON t.id = town WHERE ssn = $1", &[&"911-00-0001"]).await?;
    s.show("SELECT id FROM people WHERE born > $1 ORDER BY born DESC", &[&day()]).await?;
    s.show("SELECT min(balance), max(balance), count(note) FROM people", &[]).await?;
    s.say(format!("{}", s.exec("DELETE FROM people WHERE ssn IN ($1, $2)", &[&"911-00-0002", &"none"]).await?));
    Ok(())
}

async fn types(s: &mut Session) -> Seen {
    s.exec("DELETE FROM kinds", &[]).await?;
    let moment = day().and_hms_micro_opt(4, 5, 6, 789012).unwrap();
    let identity = uuid::Uuid::from_u128(5);
    let kinds: [(&str, &(dyn ToSql + Sync)); 16] = [
        ("truth", &true), ("small", &i16::MIN), ("whole", &i32::MAX), ("large", &i64::MIN),
        ("exact", &Decimal::new(123456789012, 4)), ("loose", &Decimal::new(1, 20)), ("single", &1.5f32), ("twice", &0.1f64),
        ("words", &"naïve\ttext"), ("short", &"twenty characters ok"), ("padded", &"pad"), ("bytes", &[0u8, 1, 254, 255].as_slice()),
        ("day", &day()), ("moment", &moment), ("instant", &moment.and_utc()), ("identity", &identity),
    ];
    let names: Vec<&str> = kinds.iter().map(|kind| kind.0).collect();
    let marks: Vec<String> = (2..kinds.len() + 2).map(|number| format!("${number}")).collect();
    let insert = format!("INSERT INTO kinds (id, {}) VALUES ($1, {})", names.join(", "), marks.join(", "));
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![&1];
    values.extend(kinds.iter().map(|kind| kind.1));
    s.exec(&insert, &values).await?;
    s.show("SELECT * FROM kinds", &[]).await?;
    for (name, value) in kinds.iter().filter(|kind| !["loose", "single", "bytes"].contains(&kind.0)) {
        s.show(&format!("SELECT {name} FROM kinds WHERE {name} = $1"), &[*value]).await?;
    }
    Ok(())
}

async fn nulls(s: &mut Session) -> Seen {
    s.exec("DELETE FROM kinds", &[]).await?;
    s.exec("INSERT INTO kinds (id, words, truth, day) VALUES ($1, $2, $3, $4)",
           &[&2, &None::<String>, &None::<bool>, &None::<NaiveDate>]).await?;
    s.show("SELECT * FROM kinds WHERE words IS NULL", &[]).await?;
    s.show("SELECT id FROM kinds WHERE words IS NOT DISTINCT FROM $1", &[&None::<String>]).await
}

async fn other_types(s: &Session, table: &str, columns: &str, one: &(dyn ToSql + Sync), two: &(dyn ToSql + Sync)) -> Seen {
    s.exec(&format!("DELETE FROM {table}"), &[]).await?;
    s.exec(&format!("INSERT INTO {table} (id, {columns}) VALUES (1, $1, $2)"), &[one, two]).await?;
    s.exec(&format!("INSERT INTO {table} (id, {columns}) VALUES (2, NULL, NULL)"), &[]).await?;
    s.show(&format!("SELECT id, {columns} FROM {table} ORDER BY id"), &[]).await
}

async fn times(s: &mut Session) -> Seen {
    s.exec("DELETE FROM clocks", &[]).await?;
    s.exec("INSERT INTO clocks (id, at) VALUES (1, $1), (2, NULL)", &[&NaiveTime::from_hms_micro_opt(23, 59, 59, 999999)]).await?;
    s.show("SELECT id, at FROM clocks ORDER BY id", &[]).await
}

async fn documents(s: &mut Session) -> Seen {
    let value: serde_json::Value = serde_json::from_str("{\"b\": [1, 2.5], \"a\": {}}")?;
    other_types(s, "documents", "raw, doc", &value, &value).await
}

// inet and cidr need a crate of their own with this driver; the other suites have them.

async fn lists(s: &mut Session) -> Seen {
    other_types(s, "lists", "marks, tags", &vec![Some(1), None, Some(3)], &vec![Some("a b"), Some("q\""), None]).await
}

/// Many statements under way on one connection at once, without waiting for answers in between.
async fn batch(s: &mut Session) -> Seen {
    s.exec("DELETE FROM people", &[]).await?;
    let statement = s.client.prepare(&format!("{INSERT} RETURNING id, name")).await?;
    let rows: Vec<(i32, String, String, Decimal)> =
        (0..50).map(|n| (n, format!("922-{n}"), format!("Batch {n}"), Decimal::new(n.into(), 0))).collect();
    let (born, note, town) = (day(), None::<String>, 1);
    let answers = rows.iter().map(|row| {
        let (client, statement, born, note, town) = (&s.client, &statement, &born, &note, &town);
        async move { client.query_one(statement, &[&row.0, &row.1, &row.2, born, &row.3, note, town]).await }
    });
    for row in try_join_all(answers).await? {
        s.show_row(&row);
    }
    s.show("SELECT count(*), count(DISTINCT ssn) FROM people", &[]).await
}

async fn simple(s: &mut Session) -> Seen {
    s.filled().await?;
    for message in s.client.simple_query("UPDATE people SET name = 'X' WHERE id = 3; SELECT id, name FROM people ORDER BY id").await? {
        match message {
            SimpleQueryMessage::Row(row) => s.say(format!("{:?} {:?}", row.get(0), row.get(1))),
            SimpleQueryMessage::CommandComplete(count) => s.say(format!("{count}")),
            _ => (),
        }
    }
    Ok(())
}

async fn transactions(s: &mut Session) -> Seen {
    s.filled().await?;
    let transaction = s.client.build_transaction().isolation_level(IsolationLevel::Serializable).start().await?;
    transaction.execute("UPDATE people SET name = 'Gone' WHERE id = 1", &[]).await?;
    transaction.rollback().await?;
    s.show("SELECT name FROM people WHERE id = 1", &[]).await
}

async fn savepoints(s: &mut Session) -> Seen {
    s.filled().await?;
    let name = s.name;
    let mut outer = s.client.transaction().await?;
    outer.execute("UPDATE people SET name = 'Kept' WHERE id = 1", &[]).await?;
    let inner = outer.savepoint("inside").await?;
    inner.execute("UPDATE people SET name = 'Lost' WHERE id = 2", &[]).await?;
    let error = inner.execute("INSERT INTO people (id, ssn, name) VALUES (9, '911-00-0003', 'Twice')", &[]).await.unwrap_err();
    println!("{name}: {:?}", error.code());
    inner.rollback().await?;
    outer.commit().await?;
    s.show("SELECT id, name FROM people ORDER BY id", &[]).await
}

async fn returning(s: &mut Session) -> Seen {
    s.filled().await?;
    s.show(&format!("{INSERT} RETURNING *, id + 1"),
           &[&4, &"911-00-0004", &"New", &day(), &Decimal::new(1005, 3), &"note", &3]).await?;
    s.show("UPDATE people SET note = $1 WHERE id > 2 RETURNING id, note", &[&"n"]).await?;
    s.show("DELETE FROM people WHERE ssn = $1 RETURNING name, born", &[&"911-00-0004"]).await
}

async fn upsert(s: &mut Session) -> Seen {
    s.filled().await?;
    for name in ["First", "Second"] {
        s.show("INSERT INTO people (id, ssn, name) VALUES ($1, $2, $3) ON CONFLICT (ssn) DO UPDATE SET name = excluded.name \
                RETURNING id, name", &[&7, &"911-00-0007", &name]).await?;
    }
    s.say(format!("{}", s.exec("INSERT INTO people (id, ssn, name) VALUES (1, 'x', 'y') ON CONFLICT DO NOTHING", &[]).await?));
    Ok(())
}

async fn copy(s: &mut Session) -> Seen {
    s.filled().await?;
    let mut sink = pin!(s.client.copy_in::<_, &[u8]>("COPY people (id, ssn, name) FROM STDIN (FORMAT csv)").await?);
    sink.send(b"8,eight,\"Ei, ").await?;
    sink.send(b"ght\"\n").await?;
    s.say(format!("{}", sink.finish().await?));
    for how in ["", "(FORMAT csv, HEADER)"] {
        let out = s.client.copy_out(&format!("COPY (SELECT * FROM people ORDER BY id) TO STDOUT {how}")).await?;
        let parts: Vec<_> = out.try_collect().await?;
        s.say(String::from_utf8(parts.concat())?);
    }
    Ok(())
}

async fn errors(s: &mut Session) -> Seen {
    s.filled().await?;
    let long = "y".repeat(61);
    let (twice, other) = ("911-00-0001", "x");
    for (sql, values) in [
        ("INSERT INTO people (id, ssn, name) VALUES (1, $1, $2)", [&other as &(dyn ToSql + Sync), &"y"]),
        ("INSERT INTO people (id, ssn, name) VALUES (9, $1, $2)", [&twice, &"y"]),
        ("INSERT INTO people (id, ssn, name) VALUES (9, $1, $2)", [&None::<String>, &"y"]),
        ("INSERT INTO people (id, ssn, name) VALUES (9, $1, $2)", [&other, &long]),
        ("INSERT INTO people (id, ssn, name, town) VALUES (9, $1, $2, 77)", [&other, &"y"]),
    ] {
        s.failing(s.exec(sql, &values).await);
    }
    for sql in ["SELECT name FROM people WHERE born = 'no day'", "SELECT nothing FROM people", "SELECT name FROM peoples", "SELEC name"] {
        s.failing(s.exec(sql, &[]).await);
    }
    s.show("SELECT count(*) FROM people", &[]).await
}

impl Session {
    fn failing(&self, answer: Result<u64, tokio_postgres::Error>) {
        match answer.as_ref().map_err(|error| error.as_db_error()) {
            Err(Some(said)) => self.say(format!("{:?} {} {:?} {:?} {:?} {:?}", said.code(), said.message(), said.column(),
                                                said.constraint(), said.table(), said.position())),
            other => self.say(format!("{other:?}")),
        }
    }
}

async fn prepared(s: &mut Session) -> Seen {
    s.filled().await?;
    let statement = s.client.prepare_typed("SELECT id, name, born FROM people WHERE ssn = $1", &[Type::TEXT]).await?;
    for _ in 0..7 {
        for person in &people() {
            s.show_row(&s.client.query_one(&statement, &[&person.1]).await?);
        }
    }
    s.exec("CREATE TEMPORARY TABLE scratch (a int)", &[]).await?;
    s.show_row(&s.client.query_one(&statement, &[&"911-00-0002"]).await?);
    Ok(())
}

/// A portal that is read by parts.
async fn portal(s: &mut Session) -> Seen {
    s.filled().await?;
    let name = s.name;
    let transaction = s.client.transaction().await?;
    let portal = transaction.bind("SELECT id, name, balance FROM people WHERE id >= $1 ORDER BY id", &[&1]).await?;
    for size in [2, 2, 2] {
        let rows = transaction.query_portal(&portal, size).await?;
        println!("{name}: {:?}", rows.iter().map(|row| row.get::<_, String>(1)).collect::<Vec<_>>());
    }
    transaction.commit().await?;
    Ok(())
}

async fn streamed(s: &mut Session) -> Seen {
    s.filled().await?;
    let mut rows = pin!(s.client.query_raw("SELECT id, name FROM people WHERE id < $1 ORDER BY id", [&9i32]).await?);
    while let Some(row) = rows.next().await {
        s.show_row(&row?);
    }
    Ok(())
}

async fn cursor(s: &mut Session) -> Seen {
    s.filled().await?;
    s.client.batch_execute("BEGIN; DECLARE walk CURSOR FOR SELECT id, name FROM people ORDER BY id").await?;
    s.show("FETCH 2 FROM walk", &[]).await?;
    Ok(s.client.batch_execute("COMMIT").await?)
}

async fn any_of_a_list(s: &mut Session) -> Seen {
    s.filled().await?;
    s.show("SELECT id FROM people WHERE id = ANY($1) ORDER BY id", &[&vec![1, 3]]).await?;
    s.show("SELECT id FROM people WHERE ssn = ANY($1) ORDER BY id", &[&vec!["911-00-0001", "none", "911-00-0003"]]).await
}

async fn choices(s: &mut Session) -> Seen {
    s.filled().await?;
    s.show("SELECT id, coalesce(note, 'none') FROM people ORDER BY id", &[]).await?;
    s.exec("UPDATE people SET name = CASE WHEN id = $1 THEN $2 ELSE name END", &[&1, &"Case One"]).await?;
    s.show("SELECT id, name FROM people ORDER BY id", &[]).await
}

async fn stays(s: &mut Session) -> Seen {
    s.filled().await
}

/// The same connection string as every other client's; this driver has no verify-full, its TLS connector always does that.
async fn connect() -> Result<Client, Box<dyn Error>> {
    let url = env::args().nth(1).expect("a connection string");
    let (base, query) = url.split_once('?').unwrap_or((&url, ""));
    let mode = if query.contains("sslmode=disable") { "sslmode=disable" } else { "sslmode=require" };
    let (mut kept, mut root) = (vec![mode], None);
    for pair in query.split('&').filter(|pair| !pair.starts_with("sslmode=")) {
        match pair.strip_prefix("sslrootcert=") {
            Some(file) => root = Some(native_tls::Certificate::from_pem(&fs::read(file)?)?),
            None => kept.push(pair),
        }
    }
    let mut tls = native_tls::TlsConnector::builder();
    root.into_iter().for_each(|certificate| { tls.add_root_certificate(certificate); });
    let connector = postgres_native_tls::MakeTlsConnector::new(tls.build()?);
    let (client, connection) = tokio_postgres::connect(&format!("{base}?{}", kept.join("&")), connector).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn described(error: &(dyn Error + 'static)) -> String {
    let own = error.downcast_ref::<tokio_postgres::Error>().and_then(|error| error.as_db_error());
    own.map_or_else(|| format!("{error:?}"), |said| format!("{} {}", said.code().code(), said.message()))
}

async fn works<'a, F: Future<Output = Seen>>(name: &'static str, ended: F) -> bool {
    match ended.await {
        Ok(()) => println!("ok {name}"),
        Err(error) => {
            println!("failed {name}: {}", described(error.as_ref()));
            return false;
        }
    }
    true
}

macro_rules! cases {
    ($($case:ident $name:literal),+ $(,)?) => {{
        let mut all_work = true;
        $(all_work &= works($name, async { $case(&mut Session { name: $name, client: connect().await? }).await }).await;)+
        all_work
    }};
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let all_work = cases!(
        crud "crud", types "types", nulls "nulls", times "times", documents "documents", lists "lists", batch "batch",
        simple "simple", transactions "transactions", savepoints "savepoints", returning "returning", upsert "upsert", copy "copy",
        errors "errors", prepared "prepared", portal "portal", streamed "streamed", cursor "cursor",
        any_of_a_list "any_of_a_list", choices "choices", stays "stays",
    );
    exit(if all_work { 0 } else { 1 });
}
