WITH held AS (
  SELECT session FROM sessions
  WHERE session = $1 AND NOT gone AND expires_at > clock_timestamp() AND $2 <> ALL (operations)
  FOR UPDATE
), written AS (
  UPDATE parts SET revision = parts.revision + 1, content = $5
  FROM held WHERE parts.session = $1 AND key = $3 AND revision = $4 RETURNING 1
)
UPDATE sessions SET
  operations = (operations || $2)[greatest(cardinality(operations) - 14, 1):],
  expires_at = CASE
    WHEN expires_at - clock_timestamp() BETWEEN $6::bigint * interval '0.9 ms' AND $6::bigint * interval '1 ms'
    THEN expires_at ELSE clock_timestamp() + $6::bigint * interval '1 ms' END
FROM written WHERE session = $1 RETURNING true
