// Hibernate over pgjdbc: tables validated and made by hbm2ddl, entities, HQL. See ../cases.py for its lines.

import jakarta.persistence.*;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.*;
import java.util.*;
import java.util.function.Consumer;
import org.hibernate.LockMode;
import org.hibernate.ScrollableResults;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.annotations.JdbcTypeCode;
import org.hibernate.cfg.Configuration;
import org.hibernate.query.criteria.HibernateCriteriaBuilder;
import org.hibernate.query.criteria.JpaCriteriaQuery;
import org.hibernate.query.criteria.JpaRoot;
import org.hibernate.type.SqlTypes;

public final class Suite {
    static final LocalDate DAY = LocalDate.of(1984, 2, 29);
    static final OffsetDateTime SEEN = OffsetDateTime.of(2001, 2, 3, 4, 5, 6, 789012000, ZoneOffset.UTC);
    static final UUID CARD = UUID.fromString("11111111-2222-3333-4444-555555555555");

    @Entity(name = "Town")
    @Table(name = "orm_towns")
    public static class Town {
        @Id public Integer id;
        @Column(length = 40, nullable = false) public String name;
        @OneToMany(mappedBy = "town") @OrderBy("id") public List<Person> people = new ArrayList<>();
    }

    @Entity(name = "Person")
    @Table(name = "orm_people", indexes = @Index(name = "orm_people_born", columnList = "born"))
    public static class Person {
        @Id public Integer id;
        @Column(length = 20, nullable = false, unique = true) public String ssn;
        @Column(length = 60, nullable = false) public String name;
        public LocalDate born;
        @Column(precision = 10, scale = 2) public BigDecimal balance;
        public Boolean active;
        @Column(columnDefinition = "timestamptz") public OffsetDateTime seen;
        public UUID card;
        @Column(columnDefinition = "bytea") public byte[] photo;
        @Column(columnDefinition = "text") public String note;
        @ManyToOne(fetch = FetchType.LAZY) @JoinColumn(name = "town_id") public Town town;

        @Override
        public String toString() {
            return Arrays.asList(id, ssn, name, born, balance, active, seen == null ? null : seen.toInstant(), card,
                                 Arrays.toString(photo), note, town == null ? null : town.name).toString();
        }
    }

    // The tables that were there before: validated, column by column.
    @Entity(name = "Kind")
    @Table(name = "kinds")
    public static class Kind {
        @Id public Integer id;
        public Boolean truth;
        public Short small;
        public Integer whole;
        public Long large;
        @Column(precision = 12, scale = 4) public BigDecimal exact;
        public Float single;
        public Double twice;
        @Column(columnDefinition = "text") public String words;
        @Column(name = "short", length = 20) public String brief;
        @Column(length = 6) @JdbcTypeCode(SqlTypes.CHAR) public String padded;
        public byte[] bytes;
        public LocalDate day;
        public LocalDateTime moment;
        public OffsetDateTime instant;
        public UUID identity;
    }

    @Entity(name = "Hours")
    @Table(name = "clocks")
    public static class Hours {
        @Id public Integer id;
        public LocalTime at;
    }

    @Entity(name = "Marks")
    @Table(name = "lists")
    public static class Marks {
        @Id public Integer id;
        public Integer[] marks;
        @Column(columnDefinition = "text[]") @JdbcTypeCode(SqlTypes.ARRAY) public String[] tags;
    }

    // What validation must refuse, plain or not.
    @Entity(name = "Mistaken")
    @Table(name = "people")
    public static class Mistaken {
        @Id public Integer id;
        public Integer born;
    }

    static String current = "";
    static Map<String, Object> settings;
    static SessionFactory models;

    static void say(Object... seen) {
        StringJoiner line = new StringJoiner(" ");
        for (Object one : seen) {
            line.add(String.valueOf(one));
        }
        System.out.println(current + ": " + line);
    }

    static SessionFactory factory(String schemaAction, Class<?>... entities) {
        Configuration configuration = new Configuration();
        settings.forEach((name, value) -> configuration.getProperties().put(name, value));
        configuration.setProperty("hibernate.hbm2ddl.auto", schemaAction);
        for (Class<?> entity : entities) {
            configuration.addAnnotatedClass(entity);
        }
        return configuration.buildSessionFactory();
    }

    static Person person(int id, String ssn, String name, LocalDate born, String balance, Town town) {
        Person person = new Person();
        person.id = id;
        person.ssn = ssn;
        person.name = name;
        person.born = born;
        person.balance = balance == null ? null : new BigDecimal(balance);
        person.town = town;
        return person;
    }

    static void fill(Session session) {
        session.createMutationQuery("delete Person").executeUpdate();
        session.createMutationQuery("delete Town").executeUpdate();
        Town brno = new Town();
        brno.id = 1;
        brno.name = "Brno";
        session.persist(brno);
        Person zelda = person(1, "911-00-0001", "Zelda Quartz", DAY, "10.50", brno);
        zelda.active = true;
        zelda.seen = SEEN;
        zelda.card = CARD;
        zelda.photo = new byte[] {0, -1};
        zelda.note = "left handed";
        session.persist(zelda);
        session.persist(person(2, "911-00-0002", "Oskar O'Dune", LocalDate.of(1999, 12, 31), "-3.00", null));
        session.persist(person(3, "911-00-0003", "Žaneta \\ Říční", null, null, null));
        session.flush();
        session.clear();
    }

    static void validation() {
        factory("validate", Kind.class, Hours.class, Marks.class).close();
        say("valid");
        try {
            factory("validate", Mistaken.class).close();
            say("nothing was found");
        } catch (org.hibernate.tool.schema.spi.SchemaManagementException found) {
            say(found.getMessage());
        }
    }

    static void migration() {
        factory("update", Town.class, Person.class).close();
        factory("update", Town.class, Person.class).close();
        factory("validate", Town.class, Person.class).close();
        say("made, left as it is, valid");
    }

    static void types(Session session) {
        session.createMutationQuery("delete Kind").executeUpdate();
        Kind kind = new Kind();
        kind.id = 1;
        kind.truth = true;
        kind.small = Short.MIN_VALUE;
        kind.whole = Integer.MAX_VALUE;
        kind.large = Long.MIN_VALUE;
        kind.exact = new BigDecimal("12345678.9012");
        kind.single = 1.5f;
        kind.twice = 0.1;
        kind.words = "naïve\ttext";
        kind.brief = "twenty characters ok";
        kind.padded = "pad";
        kind.bytes = new byte[] {0, 1, -2, -1};
        kind.day = DAY;
        kind.moment = SEEN.toLocalDateTime();
        kind.instant = SEEN;
        kind.identity = CARD;
        session.persist(kind);
        session.flush();
        session.clear();
        Kind read = session.find(Kind.class, 1);
        say(read.truth, read.small, read.whole, read.large, read.exact, read.single, read.twice, read.words, read.brief,
            read.padded, Arrays.toString(read.bytes), read.day,
            read.moment, read.instant.toInstant(), read.identity);
        say(session.createQuery("select id from Kind where day = :day and truth = true and identity = :card", Integer.class)
                .setParameter("day", DAY).setParameter("card", CARD).list());
        Marks marks = new Marks();
        marks.id = 1;
        marks.marks = new Integer[] {1, null, -3};
        marks.tags = new String[] {"a", "b,c"};
        session.merge(marks);
        session.flush();
        session.clear();
        say(Arrays.toString(session.find(Marks.class, 1).marks), Arrays.toString(session.find(Marks.class, 1).tags));
    }

    static void crud(Session session) {
        session.createQuery("from Person order by id", Person.class).list().forEach(Suite::say);
        Person oskar = session.createQuery("from Person where ssn = :ssn", Person.class).setParameter("ssn", "911-00-0002").getSingleResult();
        oskar.name = "Oskar O";
        oskar.balance = new BigDecimal("7.25");
        session.flush();
        session.clear();
        say(session.find(Person.class, 2));
        say(session.createQuery("select name from Person where ssn in :list order by id", String.class)
                .setParameter("list", List.of("911-00-0001", "911-00-0003")).list());
        session.remove(session.find(Person.class, 3));
        session.flush();
        say(session.createQuery("select count(*) from Person where note is null", Long.class).getSingleResult());
        say(session.find(Town.class, 1).people);
    }

    static void ordered(Session session) {
        say(session.createQuery("select born from Person order by born desc nulls last", LocalDate.class).list());
        say(session.createQuery("select id from Person where born between :a and :b", Integer.class)
                .setParameter("a", DAY).setParameter("b", DAY.plusYears(1)).list());
        say(session.createQuery("select min(born), max(balance) from Person", Object[].class).list().stream().map(Arrays::toString).toList());
        say(session.createQuery("from Person order by balance, id", Person.class).setFirstResult(1).setMaxResults(1).list());
        say(session.createQuery("select ssn, count(*) from Person group by ssn", Object[].class).list().size());
        say(session.createQuery("select coalesce(note, :none) from Person order by id", String.class).setParameter("none", "nothing").list());
        say(session.createQuery("select p.name, t.name from Person p left join p.town t order by p.id", Object[].class).list().stream()
                .map(Arrays::toString).toList());
    }

    static void bulk(Session session) {
        session.setJdbcBatchSize(10);
        for (int number = 0; number < 25; ++number) {
            session.persist(person(100 + number, "922-" + number, "Batch " + number, DAY.plusDays(number), "1.00", null));
        }
        session.flush();
        say(session.createMutationQuery("update Person set balance = :much, note = :note where id >= 100")
                .setParameter("much", new BigDecimal("2.50")).setParameter("note", "many").executeUpdate());
        say(session.createMutationQuery("delete Person where ssn in ('922-1', '922-2')").executeUpdate());
        session.clear();
        say(session.find(Person.class, 100), session.get(Person.class, 103, LockMode.PESSIMISTIC_WRITE).note);
    }

    static void paged(Session session) {
        session.createQuery("from Person where (born, id) > (:born, :id) order by born, id", Person.class)
                .setParameter("born", LocalDate.of(1980, 1, 1)).setParameter("id", 0).setFetchSize(1).stream().forEach(Suite::say);
        try (ScrollableResults<Person> rows = session.createQuery("from Person order by id", Person.class).setFetchSize(1).scroll()) {
            while (rows.next()) {
                say(rows.get().name);
            }
        }
    }

    static void criteria(Session session) {
        HibernateCriteriaBuilder builder = session.getCriteriaBuilder();
        JpaCriteriaQuery<String> query = builder.createQuery(String.class);
        JpaRoot<Person> person = query.from(Person.class);
        query.select(person.get("name")).where(builder.or(builder.equal(person.get("ssn"), "911-00-0001"), builder.greaterThan(person.get("balance"), 5),
                builder.isNull(person.get("born")))).orderBy(builder.asc(person.get("id")));
        say(session.createQuery(query).list());
        say(session.createQuery("select name from Person where ssn in (select ssn from Person where id < 3) and exists (select 1 from Town) order by id",
                String.class).list());
    }

    static void savepoints(Session session) {
        session.doWork(connection -> {
            try (java.sql.Statement statement = connection.createStatement()) {
                java.sql.Savepoint before = connection.setSavepoint();
                say(statement.executeUpdate("UPDATE orm_people SET name = 'Changed' WHERE ssn = '911-00-0002'"));
                connection.rollback(before);
            }
        });
        say(session.find(Person.class, 2).name);
    }

    static void errors() {
        List<Consumer<Session>> steps = List.of(
                session -> session.persist(person(50, "911-00-0001", "Twin", null, null, null)),
                session -> session.persist(person(51, "x".repeat(21), "Long", null, null, null)),
                session -> session.persist(person(52, "y", "Rich", null, "1000000000.00", null)));
        models().inTransaction(Suite::fill);
        for (Consumer<Session> step : steps) {
            try {
                models().inTransaction(step);
                say("nothing was wrong");
            } catch (PersistenceException found) {
                say(found.getClass().getSimpleName(), state(found));
            }
        }
    }

    static String state(Throwable error) {
        for (; error != null; error = error.getCause()) {
            if (error instanceof SQLException known) {
                return known.getSQLState() + " " + known.getMessage().lines().findFirst().orElse("");
            }
        }
        return "no SQLSTATE";
    }

    interface Case {
        void run() throws Exception;
    }

    // Made once, because that takes longer than all that is done with it.
    static SessionFactory models() {
        if (models == null) {
            models = factory("none", Town.class, Person.class, Kind.class, Marks.class);
        }
        return models;
    }

    static Case filled(Consumer<Session> steps) {
        return () -> models().inTransaction(session -> {
            fill(session);
            steps.accept(session);
        });
    }

    static void connectTo(String url) {
        URI uri = URI.create(url);
        Map<String, Object> found = new HashMap<>();
        String[] login = uri.getRawUserInfo().split(":", 2);
        found.put("hibernate.connection.url", "jdbc:postgresql://" + uri.getHost() + ":" + uri.getPort() + uri.getPath() + "?"
                + uri.getRawQuery().replace("application_name=", "ApplicationName="));
        found.put("hibernate.connection.username", login[0]);
        found.put("hibernate.connection.password", URLDecoder.decode(login[1], StandardCharsets.UTF_8));
        settings = found;
    }

    public static void main(String[] arguments) {
        if (arguments.length != 1) {
            System.err.println("usage: Suite CONNECTION_STRING");
            System.exit(2);
        }
        connectTo(arguments[0]);
        Map<String, Case> cases = new LinkedHashMap<>();
        cases.put("validation", Suite::validation);
        cases.put("migration", Suite::migration);
        cases.put("types", () -> models().inTransaction(Suite::types));
        cases.put("crud", filled(Suite::crud));
        cases.put("ordered", filled(Suite::ordered));
        cases.put("paged", filled(Suite::paged));
        cases.put("criteria", filled(Suite::criteria));
        cases.put("savepoints", filled(Suite::savepoints));
        cases.put("bulk", filled(Suite::bulk));
        cases.put("errors", Suite::errors);
        int failures = 0;
        for (Map.Entry<String, Case> one : cases.entrySet()) {
            current = one.getKey();
            try {
                one.getValue().run();
                System.out.println("ok " + current);
            } catch (Exception error) {
                ++failures;
                System.out.println("failed " + current + ": " + state(error) + " " + String.valueOf(error.getMessage()).replaceAll("\\s+", " "));
            }
        }
        System.exit(failures == 0 ? 0 : 1);
    }
}
