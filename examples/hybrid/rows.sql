-- Rows for a look around.
INSERT INTO producers VALUES ('pr_1', 'key-1', 'Weather Office', 'https://weather.example', '2026-01-01 00:00:00+00');
INSERT INTO assets
SELECT 'AA' || n, 'ds1', 'pr_1', 'Rainfall ' || n, NULL, md5(n::text), 'text/csv', 123456789000 + n,
       '{"license": "CC-BY", "classification": "public"}', '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00'
FROM generate_series(11, 60) n;
INSERT INTO policies VALUES ('pol-1', 'Open data only', true, '{"allow": ["CC-BY", "CC0"]}');
INSERT INTO prices SELECT version_id, 500 FROM assets;
INSERT INTO edges VALUES ('AA12', 'AA11'), ('AA13', 'AA12');
INSERT INTO ol_datasets VALUES ('d1', 'prod', 'raw', '{}', 1), ('d2', 'prod', 'clean', '{}', 1);
INSERT INTO ol_jobs VALUES ('j1', 'prod', 'tidy', '{}', 1769000000000);
