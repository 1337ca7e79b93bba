-- One transaction of the service `load` of docker-compose.yaml, about 200 a second: an order comes, stock goes, prices move.
\set product random(1, 200)
\set customer random(1, 1000)
BEGIN;
INSERT INTO orders (id, customer, lines, total)
SELECT nextval('order_numbers'), :customer, jsonb_build_array(jsonb_build_object('sku', 'sku-' || :product, 'quantity', 1)), 9.99;
UPDATE products SET stock = greatest(stock - 1, 0), price = price + 0.01 WHERE sku = 'sku-' || :product;
DELETE FROM orders WHERE id = currval('order_numbers') - 20000;
COMMIT;
