-- What load.sql numbers its orders by; the shop itself has 5000.
CREATE SEQUENCE order_numbers START 5001;
