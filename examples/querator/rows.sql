-- Rows for a look around: one queue whose first partition holds a thousand items.
INSERT INTO queues (name, namespace, partition_info)
VALUES ('invoices', 'billing', '[{"StorageName": "postgres-us-east", "PartitionNum": 0, "ReadOnly": false}]');
CALL create_items('items_7Qh2ZpWdK1_0');
INSERT INTO "items_7Qh2ZpWdK1_0" (id, expire_deadline, created_at, kind, payload)
SELECT '2B6YnNCXVRqzPdOCpPSzj3b' || lpad(n::text, 4, '0'), now() + interval '1 day', now(), 'invoice',
       convert_to('invoice ' || n, 'UTF8')
FROM generate_series(1, 1000) n;
