-- The sample database of scripts/quickstart: rows of the kinds that a cache meets, NULLs, JSON and arrays among them.
CREATE TABLE customers (
  id      bigint PRIMARY KEY,
  email   text NOT NULL UNIQUE,
  name    text NOT NULL,
  phone   text,
  tags    text[] NOT NULL DEFAULT '{}',
  address jsonb,
  since   timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE products (
  sku        text PRIMARY KEY,
  title      text NOT NULL,
  price      numeric(10, 2) NOT NULL,
  stock      int NOT NULL,
  attributes jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE orders (
  id       bigint PRIMARY KEY,
  customer bigint NOT NULL REFERENCES customers,
  lines    jsonb NOT NULL,
  total    numeric(12, 2) NOT NULL,
  paid     boolean NOT NULL DEFAULT false,
  note     text
);

INSERT INTO customers
SELECT n, 'customer' || n || '@example.org', 'Customer ' || n, CASE WHEN n % 3 = 0 THEN '+49 30 ' || 100000 + n END,
       CASE WHEN n % 10 = 0 THEN ARRAY['vip', 'newsletter'] ELSE '{}' END,
       CASE WHEN n % 4 <> 0 THEN jsonb_build_object('city', 'Berlin', 'zip', 10000 + n) END,
       timestamptz '2024-01-01 12:00+00' + n * interval '1 hour'
FROM generate_series(1, 1000) n;

INSERT INTO products
SELECT 'sku-' || n, 'Product ' || n, 1.99 + n, n % 50,
       jsonb_build_object('colour', (ARRAY['red', 'green', 'blue'])[1 + n % 3], 'weight', n / 10.0)
FROM generate_series(1, 200) n;

INSERT INTO orders
SELECT n, 1 + n % 1000, jsonb_build_array(jsonb_build_object('sku', 'sku-' || 1 + n % 200, 'quantity', 1 + n % 3)),
       10 + n, n % 2 = 0, CASE WHEN n % 7 = 0 THEN 'please ring twice' END
FROM generate_series(1, 5000) n;
