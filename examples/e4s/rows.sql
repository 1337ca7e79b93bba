-- Rows for a look around: 300 meters, each with about every third day of 2024 and the months and the year that follow.
INSERT INTO e4s_index.meter_index (index_name, entity_id, granularity, epoch_value, partition_num)
SELECT 'heat', meter, 'DAY', day, day / 180
FROM generate_series(1, 300) meter, generate_series(19723, 20088) day WHERE (day + meter) % 3 = 0;

INSERT INTO e4s_index.meter_index (index_name, entity_id, granularity, epoch_value, partition_num)
SELECT 'heat', meter, 'MONTH', month, month / 6 FROM generate_series(1, 300) meter, generate_series(648, 659) month
UNION ALL
SELECT 'heat', meter, 'YEAR', 54, 54 FROM generate_series(1, 300) meter;
