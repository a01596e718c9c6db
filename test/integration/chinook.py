"""The Chinook sample: a schema nobody here wrote, and what is asked of it.

Every query gives the same rows, column types and command tag through pgveil as on plain tables. Where rows have an
order only by their keys, ORDER BY says so.
"""

from stack import ROOT

SCRIPT = ROOT.parent / "shared" / "data" / "chinook.sql"
POLICY = ROOT / "test" / "chinook" / "policy.json"

PROTECTED = {
    "customer": ("first_name", "last_name", "company", "address", "phone", "fax", "email"),
    "employee": ("first_name", "last_name", "birth_date"),
    "invoice": ("billing_address",),
}

# Whole tables first: every row of every table.
TABLES = {
    "album": "album_id", "artist": "artist_id", "customer": "customer_id", "employee": "employee_id",
    "genre": "genre_id", "invoice": "invoice_id", "invoice_line": "invoice_line_id", "media_type": "media_type_id",
    "playlist": "playlist_id", "playlist_track": "playlist_id, track_id", "track": "track_id",
}

QUERIES = [f"SELECT * FROM {table} ORDER BY {key}" for table, key in TABLES.items()] + [
    # Protected columns alone, renamed, counted, tested for NULL.
    "SELECT first_name, last_name, email FROM customer WHERE customer_id = 5",
    "SELECT c.first_name AS given, c.last_name AS \"Family Name\" FROM customer c WHERE c.country = 'Brazil' ORDER BY"
    " c.customer_id",
    "SELECT count(*), count(company), count(fax), count(email) FROM customer",
    "SELECT customer_id FROM customer WHERE company IS NULL ORDER BY customer_id",
    "SELECT customer_id, company FROM customer WHERE company IS NOT NULL ORDER BY customer_id",
    "SELECT country, count(*), count(company) FROM customer GROUP BY country ORDER BY country",
    "SELECT employee_id, birth_date FROM employee ORDER BY employee_id",
    "SELECT birth_date, hire_date FROM employee WHERE employee_id BETWEEN 2 AND 4 ORDER BY hire_date",
    "SELECT customer_id, address, city, postal_code FROM customer ORDER BY city, customer_id LIMIT 7 OFFSET 3",
    "SELECT phone, fax FROM customer WHERE customer_id IN (1, 2, 3, 59) ORDER BY customer_id",
    "SELECT NULL, email, 42 FROM customer WHERE customer_id < 4 ORDER BY customer_id DESC",
    "SELECT \"first_name\", CUSTOMER.\"last_name\" FROM public.customer WHERE Customer_Id = 10",
    "TABLE employee",
    # Search by the equality column.
    "SELECT customer_id FROM customer WHERE email = 'luisg@embraer.com.br'",
    "SELECT first_name, last_name FROM customer WHERE email IN ('ftremblay@gmail.com', 'bjorn.hansen@yahoo.no', 'nobody')"
    " ORDER BY customer_id",
    "SELECT count(*) FROM customer WHERE email <> 'luisg@embraer.com.br'",
    "SELECT customer_id FROM customer WHERE email = 'LUISG@EMBRAER.COM.BR'",
    "SELECT customer_id FROM customer WHERE 'hholy@gmail.com' = email",
    "SELECT customer_id FROM customer WHERE email NOT IN ('a', 'b') AND country = 'France' ORDER BY customer_id",
    "SELECT email, count(*) FROM customer GROUP BY email HAVING count(*) > 1",
    "SELECT count(DISTINCT email) FROM customer",
    "SELECT DISTINCT c.email, customer_id FROM customer c JOIN invoice i USING (customer_id) WHERE i.total > 20"
    " ORDER BY customer_id",
    "SELECT a.customer_id FROM customer a JOIN customer b ON a.email = b.email ORDER BY a.customer_id",
    # Joins.
    "SELECT c.first_name, c.last_name, e.first_name AS rep FROM customer c JOIN employee e ON e.employee_id = c.support_rep_id"
    " ORDER BY c.customer_id",
    "SELECT e.last_name, m.last_name AS manager FROM employee e LEFT JOIN employee m ON m.employee_id = e.reports_to"
    " ORDER BY e.employee_id",
    "SELECT i.invoice_id, i.billing_address, i.total, c.email FROM invoice i JOIN customer c USING (customer_id)"
    " WHERE i.total > 15 ORDER BY i.invoice_id",
    "SELECT c.last_name, i.invoice_date, il.unit_price * il.quantity AS price, t.name FROM customer c"
    " JOIN invoice i ON i.customer_id = c.customer_id JOIN invoice_line il ON il.invoice_id = i.invoice_id"
    " JOIN track t ON t.track_id = il.track_id WHERE c.country = 'Germany' ORDER BY il.invoice_line_id",
    "SELECT c.first_name, x.n FROM customer c CROSS JOIN LATERAL (SELECT count(*) AS n FROM invoice i"
    " WHERE i.customer_id = c.customer_id) x ORDER BY c.customer_id LIMIT 12",
    "SELECT c.email, g.name FROM customer c, genre g WHERE c.customer_id = g.genre_id ORDER BY g.genre_id",
    "SELECT e.first_name, c.company FROM employee e RIGHT JOIN customer c ON c.support_rep_id = e.employee_id"
    " AND e.title LIKE 'Sales%' ORDER BY c.customer_id",
    "SELECT c.first_name, e.first_name FROM customer c FULL JOIN employee e ON e.employee_id = c.support_rep_id"
    " ORDER BY c.customer_id, e.employee_id",
    "SELECT c.phone, i.billing_city FROM customer c NATURAL JOIN invoice i WHERE i.invoice_id < 10 ORDER BY i.invoice_id",
    # Sub-queries and WITH.
    "SELECT first_name FROM customer WHERE customer_id IN (SELECT customer_id FROM invoice WHERE total > 20)"
    " ORDER BY customer_id",
    "SELECT last_name FROM employee e WHERE EXISTS (SELECT 1 FROM customer c WHERE c.support_rep_id = e.employee_id)"
    " ORDER BY e.employee_id",
    "SELECT customer_id, (SELECT max(total) FROM invoice i WHERE i.customer_id = c.customer_id) AS best, c.last_name"
    " FROM customer c ORDER BY c.customer_id",
    "SELECT s.who, s.country FROM (SELECT last_name AS who, country, customer_id FROM customer) AS s"
    " WHERE s.country = 'USA' ORDER BY s.customer_id",
    "WITH big AS (SELECT customer_id, sum(total) AS spent FROM invoice GROUP BY customer_id HAVING sum(total) > 45)"
    " SELECT c.first_name, c.email, big.spent FROM big JOIN customer c USING (customer_id) ORDER BY big.spent DESC,"
    " c.customer_id",
    "WITH c AS (SELECT customer_id, email FROM customer) SELECT email FROM c WHERE customer_id = 7",
    "SELECT billing_address FROM invoice WHERE invoice_id = (SELECT max(invoice_id) FROM invoice)",
    "SELECT customer_id FROM customer WHERE email IN (SELECT email FROM customer WHERE country = 'India') ORDER BY 1",
    "SELECT first_name FROM customer WHERE customer_id < 3 UNION ALL SELECT first_name FROM customer WHERE customer_id = 9",
    # Aggregates, windows, grouping over plain columns of protected tables.
    "SELECT billing_country, sum(total), avg(total), min(invoice_date), max(total) FROM invoice GROUP BY billing_country"
    " ORDER BY billing_country",
    "SELECT support_rep_id, count(*) FROM customer GROUP BY support_rep_id ORDER BY support_rep_id",
    "SELECT customer_id, email, rank() OVER (PARTITION BY country ORDER BY customer_id) FROM customer ORDER BY customer_id",
    "SELECT date_trunc('year', invoice_date) AS year, count(*) FROM invoice GROUP BY 1 ORDER BY 1",
    "SELECT billing_country, billing_city, sum(total) FROM invoice GROUP BY ROLLUP (billing_country, billing_city)"
    " ORDER BY 1 NULLS LAST, 2 NULLS LAST",
    "SELECT invoice_id, total, sum(total) OVER (ORDER BY invoice_id) FROM invoice WHERE customer_id = 2 ORDER BY 1",
    "SELECT upper(city), count(*) FROM customer GROUP BY upper(city) ORDER BY 1",
    # Tables without protection: everything PostgreSQL can.
    "SELECT g.name, count(*) FROM track t JOIN genre g USING (genre_id) GROUP BY g.name ORDER BY 2 DESC, 1",
    "SELECT name, milliseconds / 60000.0 AS minutes FROM track WHERE name ILIKE '%love%' ORDER BY milliseconds, track_id",
    "SELECT a.title, ar.name, string_agg(t.name, '; ' ORDER BY t.track_id) FROM album a JOIN artist ar USING (artist_id)"
    " JOIN track t USING (album_id) WHERE ar.artist_id = 90 GROUP BY a.title, ar.name ORDER BY a.title",
    "SELECT media_type_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY milliseconds) FROM track GROUP BY 1 ORDER BY 1",
    "SELECT p.name, count(*) FILTER (WHERE t.unit_price > 0.99) FROM playlist p LEFT JOIN playlist_track pt USING (playlist_id)"
    " LEFT JOIN track t USING (track_id) GROUP BY p.playlist_id, p.name ORDER BY p.playlist_id",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n",
    "SELECT count(*) FROM track WHERE composer IS NULL",
    "SELECT track_id, name FROM track WHERE name LIKE N'Ä%' OR name LIKE 'É%' ORDER BY track_id",
    "SELECT array_agg(genre_id ORDER BY genre_id) FROM genre",
    "SELECT DISTINCT ON (billing_country) billing_country, invoice_id FROM invoice ORDER BY billing_country, invoice_id",
    "SELECT * FROM artist WHERE name = 'Björk' OR name = N'AC/DC'",
    "VALUES (1, 'one'), (2, 'two')",
]

# In order, each in the same transaction on both sides; afterwards the three protected tables are compared.
WRITES = [
    "INSERT INTO customer (customer_id, first_name, last_name, email) VALUES (60, 'Ada', 'Byron', N'ada@analytical.example')",
    "INSERT INTO customer VALUES (61, 'Mary', N'Shelley', NULL, '87 Marchmont Street', 'London', NULL, 'UK', 'WC1',"
    " '+44 20 7946 0000', NULL, 'mary@modern.example', 3) RETURNING customer_id, first_name, address, fax",
    "UPDATE customer SET phone = '+44 20 7946 0001', company = 'Modern Ltd' WHERE email = 'mary@modern.example'",
    "UPDATE customer SET fax = fax, phone = NULL WHERE customer_id = 61 RETURNING *",
    "UPDATE employee SET birth_date = '1970-02-28 23:59:59' WHERE employee_id = 8 RETURNING birth_date",
    "UPDATE invoice SET billing_address = NULL WHERE invoice_id = 1 RETURNING invoice_id, billing_address",
    "UPDATE invoice i SET billing_address = 'unknown' FROM customer c WHERE c.customer_id = i.customer_id AND"
    " c.email = 'luisg@embraer.com.br'",
    "INSERT INTO invoice (invoice_id, customer_id, invoice_date, billing_address, total)"
    " SELECT 500 + invoice_id, customer_id, invoice_date, billing_address, total FROM invoice WHERE invoice_id < 4",
    "DELETE FROM customer WHERE email IN ('ada@analytical.example') RETURNING email, first_name",
    "DELETE FROM invoice WHERE invoice_id > 500",
]
