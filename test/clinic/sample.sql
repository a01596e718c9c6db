-- Rows of the clinic. Nobody in it exists. Empty strings, NULLs, quotes, backslashes and letters outside ASCII
-- are here on purpose.

INSERT INTO departments (code, title, beds) VALUES
    ('CARD', 'Cardiology', 24),
    ('PED', 'Paediatrics', 30),
    ('ER', 'Emergency room', 12);

INSERT INTO patients (id, ssn, name, born, insured, card, photo, remark, department) VALUES
    (1, '120-44-7781', 'Aurelia Brandt', '1961-03-09', true,
     '6f9b1c3e-0a51-4f0e-9a39-5d1f2b7c8e01', '\x89504e470d0a1a0a', 'allergic to penicillin', 'CARD'),
    (2, '331-09-2210', 'Jonas O''Leary', '1987-11-30', false,
     '0d3c7a52-6e0b-4c2d-8f74-91b0a6c5d802', NULL, '', 'CARD'),
    (3, '507-61-9934', 'Žofie Nováková', '2016-02-29', true,
     'c2a8e914-37d6-4b1f-a5e0-08f4d36b7103', '\x', 'path C:\scans\3', 'PED'),
    (4, '778-20-1156', 'Kenji 渡辺', NULL, NULL, NULL, NULL, NULL, 'PED'),
    (5, '902-58-4471', 'Mirelle Aubertin', '1944-06-06', true,
     'e71f5b08-92ac-4d3a-b6c1-f20e4a9d8504', '\x00ff00ff5c27', E'two\nlines', 'ER'),
    (6, '120-44-7782', 'Aurelia Brandt', '1961-03-09', false,
     'a40c96d7-5b18-4e82-93fd-7c6e1b0f2a05', NULL, 'same name, same day', NULL);

INSERT INTO visits (id, patient, patient_ssn, arrived, seen, pulse, weight_g, invoice_cents, urgent, reason) VALUES
    (101, 1, '120-44-7781', '2024-02-29 07:59:59.999999', '2024-02-29 08:15:00+00', 71, 64200, 125000, false,
     'check-up'),
    (102, 1, '120-44-7781', '2024-03-31 02:30:00', '2024-03-31 01:30:00+00', 118, 63900, 9223372036854775807, true,
     'chest pain'),
    (103, 2, '331-09-2210', '1999-12-31 23:59:59', '2000-01-01 00:00:00+00', 64, 81050, 0, false, 'check-up'),
    (104, 3, '507-61-9934', '2024-06-01 12:00:00', '2024-06-01 12:05:30.25+00', 96, 20300, -4500, true, 'fever'),
    (105, 4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (106, 5, '902-58-4471', '2024-07-14 18:20:10.5', '2024-07-14 18:21:00+00', -1, 2147483647, 99, true,
     'chest pain'),
    (107, 6, '120-44-7782', 'infinity', '-infinity', 32767, -2147483648, -9223372036854775808, false, '');

INSERT INTO findings (id, code, sample, price, glucose, titre, ratio, noise, dose, drift) VALUES
    (1, 'GLU', 'A-1', 12.50, 5.40, 1234, 0.1, 0.1, 0.1, 1e23),
    (2, 'GLU  ', 'B-2     ', 12.5, '5.4000', 1250.5, 0.5, '-0', 2.5e-8, '-0'),
    (3, 'éé漢', '', '0', 1e-20, -9950, 16777216, '1e-45', 123456789012345678, 4.9e-324),
    (4, '', NULL, '-999999.99', '-123456789012345678901234567890.123456789', 0, 'Infinity', 'NaN', '-Infinity', 'NaN'),
    (5, N'HB', N'ž ž', 'NaN', 'NaN', 'NaN', 'NaN', 3.4028235e38, 'NaN', 1.7976931348623157e308),
    (6, NULL, 'C-3', NULL, 'Infinity', NULL, NULL, NULL, NULL, NULL);
