-- Rows for a look around: a hundred stations with their settings, a thousand tokens.
INSERT INTO tokens (country_code, party_id, type, uid, contract_id, issuer, valid, cache_mode, last_updated)
SELECT 'GB', 'TWK', 'RFID', 'CARD' || n, 'GBTWK' || lpad((n / 2)::text, 9, '0') || 'V', 'Thoughtworks', n % 10 <> 0, 'ALWAYS',
       '2026-01-01 08:00:00'
FROM generate_series(1, 1000) n;
INSERT INTO charge_stations SELECT 'st' || lpad(n::text, 3, '0'), n % 4, 'c2VjcmV0', false FROM generate_series(1, 100) n;
INSERT INTO charge_station_settings
SELECT charge_station_id, jsonb_build_object('HeartbeatInterval', jsonb_build_object(
         'Value', '300', 'Status', CASE WHEN security_profile = 0 THEN 'Pending' ELSE 'Accepted' END,
         'SendAfter', '2026-01-01T08:00:00Z'))
FROM charge_stations;
INSERT INTO connector_status SELECT charge_station_id, c, 'Available', NULL FROM charge_stations, generate_series(1, 2) c;
