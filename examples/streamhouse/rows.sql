-- Rows for a look around: a topic with four partitions of 25 segments, two consumers, three agents.
BEGIN;
INSERT INTO topics VALUES
  ('orders', 4, 604800000, 1769000000000, 1769000000000, '{"compression": "lz4", "retention.policy": "delete"}'),
  ('audit', 1, NULL, 1769000050000, 1769000050000, '{"compression": "zstd", "retention.policy": "compact"}');
INSERT INTO partitions SELECT 'orders', p, 25000, 1769000000000, 1769000000000 FROM generate_series(0, 3) p;
INSERT INTO partitions VALUES ('audit', 0, 0, 1769000050000, 1769000050000);
INSERT INTO segments
SELECT format('orders-%s-%s', p, s), 'orders', p, s * 1000, s * 1000 + 999, 1000, 262144, 'bucket',
       format('orders/%s/%s.seg', p, lpad((s * 1000)::text, 8, '0')), 1769000000000 + s * 60000
FROM generate_series(0, 3) p, generate_series(0, 24) s;
INSERT INTO consumer_groups VALUES ('mailer', 1769000000000, 1769000000000);
INSERT INTO consumer_offsets SELECT 'mailer', 'orders', p, 20000 + p, NULL, 1769000000000 FROM generate_series(0, 3) p;
INSERT INTO agents
SELECT 'agent-' || a, '10.0.0.' || a || ':9000', 'zone-' || a % 2, 'writers', now_ms, now_ms
FROM generate_series(7, 9) a, (SELECT (extract(epoch FROM now()) * 1000)::bigint now_ms) clock;
COMMIT;
